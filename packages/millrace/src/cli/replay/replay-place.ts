/**
 * How far dead letters have been replayed, for each filter: all of them (`''), or those with one error code. A letter that one
 * replay has put back is done for all others, too.
 *
 * Of a file, the place is in `FILE.replayed` beside it, as a number of lines. Of a topic, it is the committed offset of a group
 * for each filter.
 */
import { readFile, rename, writeFile } from 'node:fs/promises'
import type { Batch } from '../../records/batch.ts'
import { ConfigError } from '../../errors/index.ts'

/** Offset of the first letter that is not done, by filter. */
export interface Done {
  readonly [filter: string]: number | undefined
}

/** Every letter, whatever its error code. */
export const ALL = ''

export class ReplayPlace {
  readonly #path: string | undefined
  readonly #filter: string
  readonly #doneIn: (partition: number) => Done
  readonly #lines: { [filter: string]: number }
  /** Last line of a file to look at. */
  readonly #upTo: number
  #last: Promise<void> = Promise.resolve()

  private constructor(
    place: { readonly path?: string; readonly lines?: { [filter: string]: number } },
    filter: string,
    upTo: number,
    doneIn: (partition: number) => Done,
  ) {
    this.#path = place.path
    this.#lines = place.lines ?? {}
    this.#filter = filter
    this.#upTo = upTo
    this.#doneIn = doneIn
  }

  /**
   * @param path of the file of letters
   * @param max lines to look at
   * @throws {ConfigError} when `FILE.replayed` is something else
   */
  static async ofFile(path: string, filter = ALL, max = Infinity): Promise<ReplayPlace> {
    const text = await readFile(`${path}.replayed`, 'utf8').catch(() => '{}')
    let lines: { [filter: string]: number }
    try {
      lines = JSON.parse(text) as { [filter: string]: number }
    } catch (cause) {
      throw new ConfigError(
        `Cannot read "${path}.replayed", which records how many letters have been replayed: delete it to start over`,
        [],
        { cause },
      )
    }
    // The lines of this run are not done for it before they are written.
    const done = Object.fromEntries(Object.entries(lines).map(([name, line]) => [name, line + 1]))
    const upTo = Math.max(lines[ALL] ?? 0, lines[filter] ?? 0) + max
    return new ReplayPlace({ path, lines }, filter, upTo, () => done)
  }

  /** @param done by partition */
  static ofTopic(filter = ALL, done: ReadonlyMap<number, Done> = new Map()): ReplayPlace {
    const nothing: Done = {}
    return new ReplayPlace({}, filter, Infinity, (partition) => done.get(partition) ?? nothing)
  }

  /** Whether a letter is still to come. @param code its error */
  includes(batch: Batch, row: number, code: string | undefined): boolean {
    const offset = Number(batch.offset(row))
    const done = this.#doneIn(batch.partition)
    return offset <= this.#upTo && offset >= (done[ALL] ?? 0) && offset >= (done[code ?? ALL] ?? 0)
  }

  /** Calls `write` for the rows up to the last one, in the order of the calls, and remembers them. */
  pass(batch: Batch, write: (batch: Batch) => Promise<void>): Promise<void> {
    if (this.#path === undefined) return write(batch)
    const wanted = batch.pick(
      Array.from({ length: batch.length }, (_, row) => row).filter((row) => Number(batch.offset(row)) <= this.#upTo),
    )
    if (wanted === undefined) return this.#last
    this.#last = this.#last.then(async () => {
      await write(wanted)
      const line = Number(wanted.offset(wanted.length - 1))
      this.#lines[this.#filter] = Math.max(this.#lines[this.#filter] ?? 0, line)
      await writeFile(`${this.#path}.replayed.new`, `${JSON.stringify(this.#lines)}\n`)
      await rename(`${this.#path}.replayed.new`, `${this.#path}.replayed`)
    })
    return this.#last
  }
}
