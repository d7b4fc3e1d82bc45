import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { InstallationError } from '../../errors.ts'
import type { TablesOptions } from '../../host.ts'
import { quoteText } from './sql.ts'

const MEMORY = 1e9

/** A place on disk for what does not fit into memory; made when it is asked for. */
export interface Spill {
  readonly path: string
  /** The path of a new file in it. */
  file(extension: string): string
  /** Removes it; else the end of the process does. */
  remove(): void
}

/** Those of this process. */
const spills = new Set<string>()

function remove(path: string): void {
  fs.rmSync(path, { recursive: true, force: true })
  spills.delete(path)
}

let watching = false

export function createSpill({ folder = tmpdir() }: TablesOptions): Spill {
  const path = join(folder, `dap-${process.pid}-${randomBytes(6).toString('hex')}`)
  let files = 0
  if (!watching) process.once('exit', () => spills.forEach(remove))
  watching = true
  spills.add(path)
  return {
    path,
    file(extension) {
      fs.mkdirSync(path, { recursive: true, mode: 0o700 })
      return join(path, `${files++}.${extension}`)
    },
    remove: () => remove(path),
  }
}

/** What DuckDB's threads may decode before it is asked for: a row group, so that two threads have something to do. */
const READ_AHEAD = '16MB'

export interface Database {
  /** One that tells how far its query is. */
  readonly watched: DuckDBConnection
  connect(): Promise<DuckDBConnection>
  /** One for a long stream. It is to be given back, with the stream at its end or given up. */
  reader(): Promise<{ readonly connection: DuckDBConnection; release(): void }>
  close(): void
}

/**
 * A database in memory that sees these files and its spill folder and nothing else: no other file, no network, no extensions. Times
 * without a zone are in UTC, whatever the machine's zone.
 */
export async function openDatabase(paths: readonly string[], spill: Spill, options: TablesOptions): Promise<Database> {
  const { DuckDBInstance } = await loadDuckdb()
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    temp_directory: spill.path,
    memory_limit: `${Math.round((options.memory ?? MEMORY) / 1e6)}MB`,
    preserve_insertion_order: 'true',
  })
  const connection = await instance.connect()
  // Settings of a connection must be made before they are locked, so this one is kept from stream to stream.
  const reading = await instance.connect()
  await reading.run(`SET streaming_buffer_size = '${READ_AHEAD}'`)
  let free = true
  await connection.run(`SET allowed_paths = [${paths.map(quoteText).join(', ')}]`)
  await connection.run("SET GLOBAL TimeZone = 'UTC'")
  await connection.run('SET enable_progress_bar = true')
  await connection.run('SET enable_progress_bar_print = false')
  await connection.run('SET enable_external_access = false')
  await connection.run('SET lock_configuration = true')
  return {
    watched: connection,
    connect: () => instance.connect(),
    async reader() {
      if (!free) {
        const other = await instance.connect()
        return { connection: other, release: () => other.closeSync() }
      }
      free = false
      return {
        connection: reading,
        release() {
          free = true
        },
      }
    },
    close() {
      reading.closeSync()
      connection.closeSync()
      instance.closeSync()
    },
  }
}

export async function loadDuckdb(): Promise<typeof import('@duckdb/node-api')> {
  try {
    return await import('@duckdb/node-api')
  } catch (cause) {
    throw new InstallationError(['@duckdb/node-api'], cause)
  }
}
