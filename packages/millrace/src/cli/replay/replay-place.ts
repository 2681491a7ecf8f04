/**
 * How far a file of letters has been replayed: in `FILE.replayed` beside it, as the number of lines for each filter. Topics
 * need nothing of that kind, their place is the committed offset of a group.
 */
import { readFile, rename, writeFile } from 'node:fs/promises'
import type { Batch } from '../../records/batch.ts'
import { ConfigError } from '../../errors/index.ts'

export class ReplayPlace {
  readonly #path: string | undefined
  readonly #filter: string
  readonly #lines: { [filter: string]: number }
  /** Lines that are still to come: behind the first, up to the second. */
  readonly #after: number
  readonly #upTo: number
  #last: Promise<void> = Promise.resolve()

  private constructor(path: string | undefined, lines: { [filter: string]: number }, filter: string, max: number) {
    this.#path = path
    this.#filter = filter
    this.#lines = lines
    this.#after = lines[filter] ?? 0
    this.#upTo = this.#after + max
  }

  /**
   * @param path of the file of letters; undefined when they are in a topic
   * @param max lines to look at
   * @throws {ConfigError} when `FILE.replayed` is something else
   */
  static async of(path: string | undefined, filter = '', max = Infinity): Promise<ReplayPlace> {
    if (path === undefined) return new ReplayPlace(undefined, {}, filter, max)
    const text = await readFile(`${path}.replayed`, 'utf8').catch(() => '{}')
    try {
      return new ReplayPlace(path, JSON.parse(text) as { [filter: string]: number }, filter, max)
    } catch (cause) {
      throw new ConfigError(
        `Cannot read "${path}.replayed", which records how many letters have been replayed: delete it to start over`,
        [],
        { cause },
      )
    }
  }

  /** Whether a row is still to come. */
  includes(batch: Batch, row: number): boolean {
    const line = Number(batch.offset(row))
    return this.#path === undefined || (line > this.#after && line <= this.#upTo)
  }

  /** Calls `write` for the rows that are still to come, in the order of the calls, and remembers them. */
  pass(batch: Batch, write: (batch: Batch) => Promise<void>): Promise<void> {
    if (this.#path === undefined) return write(batch)
    const wanted = batch.pick(
      Array.from({ length: batch.length }, (_, row) => row).filter((row) => this.includes(batch, row)),
    )
    if (wanted === undefined) return this.#last
    this.#last = this.#last.then(async () => {
      await write(wanted)
      this.#lines[this.#filter] = Number(wanted.offset(wanted.length - 1))
      await writeFile(`${this.#path}.replayed.new`, `${JSON.stringify(this.#lines)}\n`)
      await rename(`${this.#path}.replayed.new`, `${this.#path}.replayed`)
    })
    return this.#last
  }
}
