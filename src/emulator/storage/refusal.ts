/** What Cloud Storage's JSON API refuses, in its own form. */
export class StorageRefusal extends Error {
  override readonly name = 'StorageRefusal'
  readonly status: number
  readonly reason: string

  constructor(status: number, reason: string, message: string) {
    super(message)
    this.status = status
    this.reason = reason
  }
}

export const invalid = (message: string) => new StorageRefusal(400, 'invalid', message)
