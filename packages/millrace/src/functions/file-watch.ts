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
import { TextRows } from './rows/row-source.ts'

export const fileWatch = defineSourceFunction({
  name: 'file.watch',
  summary: 'Reads a file and everything that is appended to it.',
  options: {
    path: field
      .string()
      .doc(
        'File to read, relative to the working directory. It may be created later. If it becomes shorter, it is read from the beginning.',
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

class WatchedFile extends TextRows {
  override readonly commits = 'nothing: every run reads the file from the beginning'
  readonly #path: string
  readonly #intervalMs: number
  readonly #untilEnd: boolean

  constructor(path: string, format: 'jsonl' | 'csv', intervalMs: number, { untilEnd }: FunctionContext) {
    super(path, { format, inferRows: 1 })
    this.#path = path
    this.#intervalMs = intervalMs
    this.#untilEnd = untilEnd
  }

  async open(): Promise<void> {}

  protected stream(signal: AbortSignal): Readable {
    return Readable.from(this.#chunks(signal), { objectMode: false })
  }

  async *#chunks(signal: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
    let position = 0
    while (!signal.aborted) {
      const size = await stat(this.#path).then(
        ({ size }) => size,
        () => 0,
      )
      if (size < position) position = 0
      if (size > position) {
        for await (const chunk of createReadStream(this.#path, {
          start: position,
          end: size - 1,
        }) as AsyncIterable<Buffer>)
          yield chunk
        position = size
      }
      if (this.#untilEnd) return
      await delay(this.#intervalMs, undefined, { signal }).catch(() => {})
    }
  }
}
