/** What the log, the kill switch, reloads and the runtime itself open. */
const RESERVED = 100

/** How many connections a process may have that may open so many files: some are left for everything else. */
export function connectionsWithin(openFiles: number): number {
  return openFiles - Math.min(RESERVED, Math.ceil(openFiles / 2))
}

/** How many files this process may open; Infinity where the system sets no limit. */
export function openFilesLimit(): number {
  const { userLimits } = process.report.getReport() as { readonly userLimits?: UserLimits }
  const soft = userLimits?.open_files.soft
  return typeof soft === 'number' ? soft : Number.POSITIVE_INFINITY
}

interface UserLimits {
  readonly open_files: { readonly soft: number | 'unlimited' }
}
