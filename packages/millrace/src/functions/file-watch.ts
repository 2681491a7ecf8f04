/**
 * `file.watch`: reads a file, and what is appended to it later, until the run is stopped.
 */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { NO_ENDPOINTS } from '../contracts/definitions.ts'
import { defineSourceFunction, type FunctionContext } from '../contracts/functions.ts'
import { field } from '../options/fields.ts'
import { LONGEST_MS } from '../resilience/abort.ts'
import { TextRows } from './rows/row-source.ts'

export const fileWatch = defineSourceFunction({
  name: 'file.watch',
  summary: 'Reads a file and everything that is appended to it.',
  options: {
    path: field
      .string()
      .doc(
        'File to read, relative to the working directory. It may be created later. If it becomes shorter, it is read from the beginning, and a last line without an end is left out.',
      )
      .example('logs/events.jsonl'),
    format: field.oneOf(['jsonl', 'csv'], { json: 'jsonl' }).default('jsonl').doc('`jsonl` is one row per line.'),
    poll_interval: field.number({ min: 0.01 }).default(1).unit('s').doc('Seconds between checks of the file.'),
    poll_interval_ms: field.number({ min: 10 }).optional().unit('ms').doc('The same interval in milliseconds.'),
  },
  examples: [{ title: 'A growing log', options: { path: 'logs/events.jsonl' } }],
  isEndless: () => true,
  endpoints: ({ path }) => ({ ...NO_ENDPOINTS, file: path }),
  create: ({ path, format, poll_interval, poll_interval_ms }, context) =>
    new WatchedFile(resolve(context.directory, path), format, poll_interval_ms ?? poll_interval * 1000, context),
})

const LF = 0x0a

class WatchedFile extends TextRows {
  override readonly commits = 'nothing: every run reads the file from the beginning'
  readonly #path: string
  readonly #intervalMs: number
  readonly #untilEnd: boolean
  readonly #warn: FunctionContext['warn']
  /** Whether the file has become shorter since its text began to be read. */
  #isReplaced = false

  constructor(path: string, format: 'jsonl' | 'csv', intervalMs: number, { untilEnd, warn }: FunctionContext) {
    super(path, { format, inferRows: 1 })
    this.#path = path
    this.#intervalMs = Math.min(intervalMs, LONGEST_MS)
    this.#untilEnd = untilEnd
    this.#warn = warn
  }

  async open(): Promise<void> {}

  protected stream(signal: AbortSignal): Readable {
    this.#isReplaced = false
    return Readable.from(this.#lines(signal), { objectMode: false })
  }

  /** What takes the place of a text is another one, with a header of its own. */
  protected override get isReadAgain(): boolean {
    return this.#isReplaced
  }

  /** Whole lines, until the file becomes shorter. */
  async *#lines(signal: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
    let position = 0
    let unfinished: Buffer[] = []
    while (!signal.aborted) {
      const size = await this.#size()
      if (size < position) {
        this.#isReplaced = true
        if (unfinished.length > 0)
          this.#warn(`The last line of "${this.#path}" had no end when the file became shorter: it is left out`)
        return
      }
      for await (const chunk of this.#read(position, size)) {
        position += chunk.length
        const end = chunk.lastIndexOf(LF) + 1
        if (end > 0) {
          yield Buffer.concat([...unfinished, chunk.subarray(0, end)])
          unfinished = []
        }
        if (end < chunk.length) unfinished.push(chunk.subarray(end))
      }
      if (this.#untilEnd) {
        yield* unfinished
        return
      }
      await delay(this.#intervalMs, undefined, { signal }).catch(() => {})
    }
  }

  async #size(): Promise<number> {
    return stat(this.#path).then(
      ({ size }) => size,
      () => 0,
    )
  }

  async *#read(start: number, end: number): AsyncGenerator<Buffer, void, undefined> {
    if (end <= start) return
    try {
      yield* createReadStream(this.#path, { start, end: end - 1 }) as AsyncIterable<Buffer>
    } catch (error) {
      // It was removed meanwhile, and may be created again.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}
