/**
 * Rows that wait for the end of a run: in a file of JSON lines, so that memory stays bounded whatever their number.
 */
import { open, rm, type FileHandle } from 'node:fs/promises'
import type { Batch } from '../../records/batch.ts'
import { linesOf } from './lines.ts'
import { eachRowText, type FailedRows } from './row-texts.ts'
import type { StoredRows } from './row-text.ts'
import type { Row } from './values.ts'

export class Spool implements StoredRows {
  readonly #path: string
  readonly #columns = new Set<string>()
  readonly #limit: number
  #handle: FileHandle | undefined
  #last: Promise<void> = Promise.resolve()
  count = 0
  /** Where the next rows are written: behind the last ones that were written whole. */
  bytes = 0

  /** @param limit rows beyond it are counted nowhere and dropped */
  constructor(path: string, limit = Infinity) {
    this.#path = path
    this.#limit = limit
  }

  get columns(): readonly string[] {
    return [...this.#columns]
  }

  async open(): Promise<void> {
    this.#handle = await open(this.#path, 'wx+', 0o600)
    // Without a name it is gone as soon as nobody has it open, so that nothing is left behind however the process ends.
    await rm(this.#path, { force: true }).catch(() => {})
  }

  /**
   * Calls may overlap; rows keep the order of the calls. After one that failed, because the disk is full for instance, it is as if it
   * had not been made.
   *
   * @param failures takes the rows that cannot be written; undefined where the first one is thrown, and none is appended
   */
  append(batch: Batch, failures?: FailedRows): Promise<void> {
    const columns = new Set<string>()
    const room = this.#limit - this.count
    let added = 0
    let lines = ''
    const take = (text: string, row: number): boolean => {
      for (const column in batch.documents![row] as Row) columns.add(column)
      lines += `${text}\n`
      return ++added < room
    }
    if (room > 0) eachRowText(batch, failures, take)
    for (const column of columns) this.#columns.add(column)
    this.count += added
    const written = this.#last.then(() => this.#write(Buffer.from(lines)))
    this.#last = written.catch(() => {
      this.count -= added
    })
    return written
  }

  async #write(bytes: Buffer): Promise<void> {
    let position = this.bytes
    // What a call before this one has left in the middle is overwritten.
    for (let rest = bytes; rest.length > 0;) {
      const { bytesWritten } = await this.#handle!.write(rest, 0, rest.length, position)
      position += bytesWritten
      rest = rest.subarray(bytesWritten)
    }
    this.bytes = position
  }

  async *texts(): AsyncGenerator<string, void, undefined> {
    await this.#last
    if (this.bytes === 0) return
    const stream = this.#handle!.createReadStream({ start: 0, end: this.bytes - 1, autoClose: false, encoding: 'utf8' })
    for await (const lines of linesOf(stream)) yield* lines
  }

  /** Closes the file, and removes it where it could not be removed while it was open. May be called twice. */
  async remove(): Promise<void> {
    await this.#last
    const handle = this.#handle
    this.#handle = undefined
    if (handle === undefined) return
    await handle.close()
    await rm(this.#path, { force: true })
  }
}
