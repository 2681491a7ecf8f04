/**
 * `file.watch`: reads a file, and what is appended to it later, until the run is stopped.
 */
import { type FileHandle, open, stat } from 'node:fs/promises'
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
        'File to read, relative to the working directory. It may be created later. If it becomes shorter, or another file takes its place, it is read from the beginning, and a last line without an end is left out.',
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
const CHUNK_BYTES = 64 * 1024

class WatchedFile extends TextRows {
  override readonly commits = 'nothing: every run reads the file from the beginning'
  readonly #path: string
  readonly #intervalMs: number
  readonly #untilEnd: boolean
  readonly #warn: FunctionContext['warn']
  /** Whether the file has become shorter, or another one, since its text began to be read. */
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

  /** Whole lines, until the file becomes shorter or another one takes its place. */
  async *#lines(signal: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
    let position = 0
    let unfinished: Buffer[] = []
    let file: FileHandle | undefined
    try {
      while (!signal.aborted) {
        file ??= await this.#opened()
        // Asked before the rest is read, as it may still be appended to until then. While it is open, no other file has its number.
        const isOther = file !== undefined && (await this.#isAnother(file))
        const size = file === undefined ? 0 : (await file.stat()).size
        if (size < position) return this.#replaced('the file became shorter', unfinished)
        if (file !== undefined) {
          for await (const chunk of bytesOf(file, position, size)) {
            position += chunk.length
            const end = chunk.lastIndexOf(LF) + 1
            if (end > 0) {
              yield Buffer.concat([...unfinished, chunk.subarray(0, end)])
              unfinished = []
            }
            if (end < chunk.length) unfinished.push(chunk.subarray(end))
          }
        }
        if (isOther) return this.#replaced('another file took its place', unfinished)
        if (this.#untilEnd) {
          yield* unfinished
          return
        }
        await delay(this.#intervalMs, undefined, { signal }).catch(() => {})
      }
    } finally {
      await file?.close()
    }
  }

  #replaced(how: string, unfinished: readonly Buffer[]): void {
    this.#isReplaced = true
    if (unfinished.length > 0) this.#warn(`The last line of "${this.#path}" had no end when ${how}: it is left out`)
  }

  async #opened(): Promise<FileHandle | undefined> {
    return open(this.#path).catch(missing)
  }

  /** Whether its path leads to another file now, as when logs are rotated. One that was removed may still be appended to. */
  async #isAnother(file: FileHandle): Promise<boolean> {
    const now = await stat(this.#path).catch(missing)
    if (now === undefined) return false
    const { dev, ino } = await file.stat()
    return now.dev !== dev || now.ino !== ino
  }
}

async function* bytesOf(file: FileHandle, start: number, end: number): AsyncGenerator<Buffer, void, undefined> {
  for (let position = start; position < end;) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, end - position))
    const { bytesRead } = await file.read(chunk, 0, chunk.length, position)
    if (bytesRead === 0) return
    position += bytesRead
    yield chunk.subarray(0, bytesRead)
  }
}

/** It may be created later. */
function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
