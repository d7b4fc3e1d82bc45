import type { Diagnostic } from '../diagnostics.ts'
import type { Kind, Metadata, ProjectSpec, Scorer, Specs } from '../kinds.ts'

/** One document that has its kind's shape; what it says may still be wrong. */
export interface Resource<K extends Kind = Kind> {
  readonly kind: K
  readonly name: string
  readonly metadata: Metadata
  /** Defaults filled in, the Project's too. */
  readonly spec: Specs[K]
  readonly file: string
  /** The document's place in the file, from 0. */
  readonly index: number
  /** sha256 of what it says: kind, name and spec. */
  readonly digest: string
}

/** Kinds whose resources have a name of their own. A Deployment's is unique only within its environment: nothing refers to one. */
export type NamedKind = Exclude<Kind, 'Deployment'>

/** What declares a resource, or may do so in what cannot be read. */
export interface Declaration {
  /** What it is called; one of several where it cannot be told which, and absent where nothing tells it. A Deployment is `environment/name`. */
  readonly names?: readonly string[]
  /** Is it known to be there? Then it has one name. */
  readonly sure: boolean
  readonly file: string
  /** The files with the errors that keep it from being used; none of what has no errors. */
  readonly broken: readonly string[]
}

export interface Repository {
  /** In the order of files and documents. */
  readonly resources: readonly Resource[]
  get<K extends NamedKind>(kind: K, name: string): Resource<K> | undefined
  all<K extends Kind>(kind: K): readonly Resource<K>[]
  /** What policies take in of a Model, with what its files say; undefined where that is not known. */
  scorer(name: string): Scorer | undefined
  /** All of a kind that is declared or may be, with faults or without. Of the same name the first alone. */
  declared(kind: Kind): readonly Declaration[]
  /** Did-you-mean for a name that nothing has. */
  suggest(kind: NamedKind, name: string): string | undefined
  /** The Project's settings, or their defaults where there is none. */
  readonly project: ProjectSpec
  /** Documents that say their kind, and are of the wrong shape for it; without a name where they say none. */
  readonly misshapen: readonly (Pick<Resource, 'kind' | 'file' | 'index'> & {
    readonly name: string | undefined
    readonly environment: string | undefined
  })[]
  /** How many errors a document has. */
  errorsOf(document: Pick<Resource, 'file' | 'index'>): number
  /** By file, line and column. */
  readonly diagnostics: readonly Diagnostic[]
  /** How many files there were. */
  readonly files: number
}

/** What the rules of one resource may ask of the others. Those with errors are not shown: nobody else is told of their faults. */
export interface Lookup extends Pick<Repository, 'get' | 'all' | 'suggest' | 'project'> {
  /** Is there such a resource, or may there be one in what cannot be read? */
  mayHave(kind: NamedKind, name: string): boolean
}
