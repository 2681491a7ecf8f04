/**
 * Batches that were passed to the producer and are not settled: how many bytes, and whether one has failed.
 *
 * One caller waits at a time, as requests are handled one after the other.
 */
import { BatchError, type MillraceError, isMillraceError, UnexpectedError } from '../errors/index.ts'

export class Deliveries {
  #pendingBytes = 0
  #failure: MillraceError | undefined
  #waiting: { readonly bytes: number; readonly resolve: () => void } | undefined

  /** The first failure of all. */
  get failure(): MillraceError | undefined {
    return this.#failure
  }

  /**
   * @param written settles when every record of a batch is acknowledged or has failed
   * @param settle given the failure, if there is one; returns the error to report
   */
  track(
    written: Promise<void>,
    bytes: number,
    describe: (failure: MillraceError) => MillraceError,
    release: () => void,
  ): void {
    this.#pendingBytes += bytes
    const settled = (): void => {
      this.#pendingBytes -= bytes
      release()
      this.#notify()
    }
    written.then(settled, (error: unknown) => {
      this.#failure ??= describe(firstOf(error))
      settled()
    })
  }

  /** Resolves when no more than so many bytes are pending, or when a batch has failed. */
  async atMost(bytes: number): Promise<void> {
    if (this.#pendingBytes <= bytes || this.#failure !== undefined) return
    await new Promise<void>((resolve) => {
      this.#waiting = { bytes, resolve }
    })
  }

  #notify(): void {
    const waiting = this.#waiting
    if (waiting === undefined || (this.#pendingBytes > waiting.bytes && this.#failure === undefined)) return
    this.#waiting = undefined
    waiting.resolve()
  }
}

/** The failure of a record that did not fail because of another one. */
function firstOf(error: unknown): MillraceError {
  if (!isMillraceError(error)) return new UnexpectedError(`Cannot write records: ${String(error)}`, { cause: error })
  if (!(error instanceof BatchError)) return error
  const failures = [...error.failures.values()]
  return failures.find(({ code }) => code !== 'REFUSED_WITH_BATCH') ?? failures[0] ?? error
}
