/** The first lines of an emulator: where it is, and what leads clients to it. */
export function emulatorText(
  url: string,
  data: string | undefined,
  variables: Readonly<Record<string, string>>,
  clients: { readonly certificate: string; readonly script: string },
): string {
  const exports = Object.entries(variables).map(([name, value]) => `export ${name}=${value}`)
  const tls = [`TLS by ${clients.certificate}`, `. ${clients.script} leads Google's other clients here`]
  return [`dap emulator: ${url}  data ${data ?? 'in a temporary folder'}`, ...exports, ...tls].join('\n')
}

export interface WaitingFault {
  readonly id: string
  readonly on: string
  readonly fault: string
  readonly times: number
  readonly after: number
}

/** A line for each fault that waits. */
export function faultsText(faults: readonly WaitingFault[]): string {
  if (faults.length === 0) return 'no faults are waiting'
  return faults
    .map(({ id, on, fault, times, after }) => {
      const first = after > 0 ? `, after ${after} that pass` : ''
      return `${id}  ${fault} on ${on === '*' ? 'any method' : on}, ${times === 1 ? 'once' : `${times} times`}${first}`
    })
    .join('\n')
}
