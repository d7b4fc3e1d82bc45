/** What is declared, also by files with faults, and by what cannot be read. */
import { KINDS, type Kind } from '../kinds.ts'
import type { Declaration } from './resource.ts'
import { nearest } from './schema.ts'

/** A resource that may be in what cannot be read, as far as its kind and its name can be told. */
export interface Hidden {
  readonly file: string
  readonly kind?: Kind
  /** One of these. */
  readonly names?: readonly string[]
}

/** What a text that is no YAML seems to declare. */
export function hiddenIn(file: string, text: string): Hidden[] {
  return text
    .split(/^---/m)
    .filter(document => document.trim() !== '')
    .map(document => {
      const metadata = document.search(/(?:^|[\s{,"'])metadata\b/m)
      const [block] =
        metadata === -1
          ? ['']
          : document
              .slice(metadata)
              .trimStart()
              .split(/\n(?=\S)/, 1)
      const names = [...block.matchAll(/\bname["']?\s*:\s*["']?(?=([\w-]+))/g)].map(([, name]) => name)
      return {
        file,
        kind: kindOf(/(?:^|[\s{,"'])kind["']?\s*:\s*["']?(\w+)/m.exec(document)?.[1]),
        names: names.length === 0 ? undefined : names,
      }
    })
}

/** The kind that is written, or the one that is meant. */
export const kindOf = (kind: unknown): Kind | undefined =>
  KINDS.find(each => each === kind) ??
  (typeof kind === 'string' ? (nearest(kind, KINDS) as Kind | undefined) : undefined)

/** May it be what is called so? */
export function mayBe({ names, sure }: Declaration, name: string): boolean {
  // What a Deployment that cannot be read is called is known without its environment.
  return names?.includes(sure ? name : name.slice(name.indexOf('/') + 1)) ?? true
}

/** The files with the errors that keep what is called so from being used, or may do so; without a name, whatever has any. */
export function brokenFiles(declared: readonly Declaration[], name?: string): readonly string[] {
  const broken = declared.filter(each => each.broken.length > 0 && (name === undefined || mayBe(each, name)))
  const sure = broken.filter(each => each.sure)
  return [...new Set((name !== undefined && sure.length > 0 ? sure : broken).flatMap(each => each.broken))]
}
