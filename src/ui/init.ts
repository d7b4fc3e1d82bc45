import type { TextContext } from '../command.ts'
import type { Placed } from '../scaffold/placement.ts'
import { grouped, plural } from './numbers.ts'

/** What init has made, or would make. */
export interface Making {
  /** As it was typed; empty for the working folder. */
  readonly place: string
  readonly template: string
  readonly project: string
  readonly dryRun: boolean
  /** The files were shown before they were written. */
  readonly asked: boolean
  readonly placed: readonly (Pick<Placed, 'path' | 'action'> & { readonly bytes: number })[]
  readonly pin: { readonly package: string; readonly version: string; readonly tarball: string | null }
  readonly try: readonly string[]
}

/** Every file is named, or the folder that it is in; the large ones with their size. */
export function initText(making: Making, context: TextContext): string {
  const { style } = context
  const { place, template, project, dryRun, asked, placed, pin, try: next } = making
  const where = place === '' ? '' : ` in ${place}`
  const written = placed.filter(({ action }) => action !== 'keep' && action !== 'collide').length
  const head = `${style.bold(project)}: ${plural(written, 'file')} from the template ${template}${where}`
  const stopped = placed.filter(({ action }) => action === 'collide').length
  const version = `\`package.json\` pins ${pin.package} ${pin.version}`
  const pinned =
    pin.tarball === null
      ? `${version}, as the registry has it`
      : `${version} as the tarball \`${pin.tarball}\`: nothing says that this dap came from a registry`
  if (dryRun) {
    const verdict =
      stopped === 0
        ? 'nothing was written'
        : `nothing was written, and nothing would be: ${plural(stopped, 'file')} in the way`
    return [`${head}, as it would be`, placementText(making, context), verdict].join('\n\n')
  }
  const lines = [...(place === '' ? [] : [`cd ${place}`]), ...next]
  return [
    head,
    ...(asked ? [] : [placementText(making, context)]),
    pinned,
    ['next:', ...lines.map(line => `  ${style.cyan(line)}`)].join('\n'),
  ].join('\n\n')
}

const REMARKS: Readonly<Record<Placed['action'], string>> = {
  write: '',
  keep: 'yours, left as it is',
  extend: 'yours, with lines added',
  overwrite: 'overwritten',
  collide: 'in the way',
}

const LARGE = 100_000

/** A line for each file, and one for those that only editors read. */
export function placementText({ placed }: Pick<Making, 'placed'>, { style }: TextContext): string {
  const hidden = placed.filter(({ path }) => path.startsWith(SCHEMAS))
  const shown = placed.filter(({ path, action }) => !path.startsWith(SCHEMAS) || action === 'collide')
  const width = Math.max(0, ...shown.map(({ path }) => path.length))
  const line = (path: string, remark: string) =>
    `  ${remark === '' ? path : `${path.padEnd(Math.min(width, 44))}  ${style.dim(remark)}`}`
  return [
    ...shown.map(({ path, action, bytes }) =>
      line(path, bytes > LARGE && action === 'write' ? sizeText(bytes) : REMARKS[action]),
    ),
    ...(hidden.length === 0 ? [] : [line(SCHEMAS, `${grouped(hidden.length)} schemas, for editors`)]),
  ].join('\n')
}

const SCHEMAS = '.dap/schemas/'

const sizeText = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
