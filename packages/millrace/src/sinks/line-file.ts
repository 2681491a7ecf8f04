/**
 * A file that lines are appended to, whole or not at all.
 *
 * `append` resolves when the lines are on disk: what waits at the same time is written together and synced once. A write that
 * fails leaves no half of a line: the file is cut back to what was there before. So is what a killed process left at its end.
 */
import { mkdir, open, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ClosedError, type FileError } from '../errors/index.ts'
import { unwritable } from '../errors/unwritable.ts'
import { syncFolder } from './sync-folder.ts'

const LINE_FEED = 10
const CHUNK_BYTES = 65_536
/** A longer rest is no line that somebody ended without a line feed. */
const LONGEST_REST = 67_108_864

interface Waiting extends PromiseWithResolvers<void> {
  readonly lines: Buffer
}

export interface LineFileOptions {
  readonly path: string
  /** Whether what is in the file is removed, with the first write, so that a run that fails to start harms nothing. */
  readonly replaces: boolean
  readonly warn: (message: string, facts?: { readonly [name: string]: unknown }) => void
}

export class LineFile {
  readonly #options: LineFileOptions
  #handle: FileHandle | undefined
  /** Pipes and devices can be neither cut nor synced. */
  #isRegular = true
  #isPrepared = false
  /** Where the file ends, as long as only we write to it. */
  #end = 0
  /** Whether something half written, which cannot be cut off, is before what comes next. */
  #mustEndLine = false
  readonly #waiting: Waiting[] = []
  #writing: Promise<void> | undefined
  #bytes = 0

  constructor(options: LineFileOptions) {
    this.#options = options
  }

  /** Bytes on disk that were appended. */
  get bytes(): number {
    return this.#bytes
  }

  /** @throws {FileError} `FILE_UNWRITABLE` */
  async open(): Promise<void> {
    const { path } = this.#options
    try {
      await mkdir(dirname(path), { recursive: true })
      this.#handle = await open(path, 'a')
      this.#isRegular = (await this.#handle.stat()).isFile()
      if (this.#isRegular) await syncFolder(dirname(path))
    } catch (error) {
      throw this.#unwritable(error)
    }
  }

  /**
   * Resolves when the lines are on disk; what is appended meanwhile keeps the order of the calls.
   * @param lines whole lines, each with its line feed
   * @throws {FileError} `FILE_UNWRITABLE`: none of them is in the file. Neither is what was waiting behind them, which fails, too
   */
  append(lines: Buffer): Promise<void> {
    if (this.#handle === undefined) return Promise.reject(new ClosedError(`the file sink of "${this.#options.path}"`))
    const waiting = { lines, ...Promise.withResolvers<void>() }
    this.#waiting.push(waiting)
    this.#writing ??= this.#drain()
    return waiting.promise
  }

  /** Resolves when nothing waits any more, and what was in a file that is to be replaced is gone. */
  async flush(): Promise<void> {
    await this.#writing
    if (this.#handle === undefined) return
    try {
      await this.#prepare(this.#handle)
    } catch (error) {
      throw this.#unwritable(error)
    }
  }

  async close(): Promise<void> {
    await this.#writing
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }

  /** Never rejects: the callers that wait get the error. */
  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0)
      try {
        await this.#write(group.map(({ lines }) => lines))
        for (const { resolve } of group) resolve()
      } catch (error) {
        const failure = this.#unwritable(error)
        // What waits behind them may not overtake them.
        for (const { reject } of [...group, ...this.#waiting.splice(0)]) reject(failure)
      }
    }
    this.#writing = undefined
  }

  /** Writes and syncs all of it, or leaves the file as it was. */
  async #write(pieces: readonly Buffer[]): Promise<void> {
    const handle = this.#handle!
    await this.#prepare(handle)
    const lines = Buffer.concat(this.#mustEndLine ? [Buffer.from('\n'), ...pieces] : pieces)
    let written = 0
    try {
      while (written < lines.length) {
        const { bytesWritten } = await handle.write(lines, written, lines.length - written)
        written += bytesWritten
      }
      if (this.#isRegular) await handle.datasync()
    } catch (error) {
      if (written > 0) await this.#takeBack(handle, written)
      throw error
    }
    this.#mustEndLine = false
    this.#end += written
    this.#bytes += written
  }

  /** Cuts off what a failed write has left. Where something else has written to the file, too, the next write ends that line instead. */
  async #takeBack(handle: FileHandle, written: number): Promise<void> {
    try {
      const isOurs = this.#isRegular && (await handle.stat()).size === this.#end + written
      if (isOurs) await handle.truncate(this.#end)
      this.#mustEndLine = !isOurs
    } catch {
      this.#mustEndLine = true
    }
  }

  /** Before the first write: removes what was in the file, or what a killed process left half written at its end. */
  async #prepare(handle: FileHandle): Promise<void> {
    if (this.#isPrepared) return
    if (this.#isRegular) {
      if (this.#options.replaces) await handle.truncate(0)
      else await this.#repair(handle)
    }
    this.#isPrepared = true
  }

  async #repair(handle: FileHandle): Promise<void> {
    const { path, warn } = this.#options
    const { size } = await handle.stat()
    this.#end = size
    if (size === 0) return
    const reader = await open(path, 'r')
    try {
      const start = await lastLineFeed(reader, size)
      if (start === size) return
      if (await isWholeLine(reader, start, size)) {
        this.#mustEndLine = true
        return
      }
      await handle.truncate(start)
      this.#end = start
      warn(`Removed a half-written line of ${size - start} bytes from the end of "${path}"`, {
        path,
        bytes: size - start,
      })
    } finally {
      await reader.close()
    }
  }

  #unwritable(error: unknown): FileError {
    return unwritable(`"${this.#options.path}"`, error)
  }
}

/** @returns where the rest behind the last line feed begins; `size` when there is none */
async function lastLineFeed(reader: FileHandle, size: number): Promise<number> {
  const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size))
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - chunk.length)
    const { bytesRead } = await reader.read(chunk, 0, end - start, start)
    const at = chunk.subarray(0, bytesRead).lastIndexOf(LINE_FEED)
    if (at >= 0) return start + at + 1
    end = start
  }
  return 0
}

/** Whether the rest is a line that only lacks its line feed: an object, a list, text. The first digits of a number look like a number. */
async function isWholeLine(reader: FileHandle, start: number, end: number): Promise<boolean> {
  if (end - start > LONGEST_REST) return false
  const rest = Buffer.alloc(end - start)
  await reader.read(rest, 0, rest.length, start)
  try {
    return typeof JSON.parse(rest.toString()) !== 'number'
  } catch {
    return false
  }
}
