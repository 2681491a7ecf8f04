/**
 * The files of a partition: `BASE_OFFSET.log` for each segment, holding nothing but record batches, and `history.json` when it has
 * been compacted.
 *
 * Files are replaced as a folder, so that a broker that is killed meanwhile leaves either the old ones or the new ones:
 *
 * ```
 * write 0.new ── rename 0 to 0.old ── rename 0.new to 0 ── delete 0.old
 * ```
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { FileError } from '../../errors/index.ts'
import { unreadable } from '../../errors/unreadable.ts'
import { unwritable } from '../../errors/unwritable.ts'
import type { LogFiles, LogHistory, StoredLog, StoredSegment } from '../log/log-files.ts'
import { AppendFile } from './append-file.ts'
import { checkSegment } from './check-segment.ts'

const HISTORY = 'history.json'
const RESTORE = 'restore the folder from a copy, or delete it and start with nothing'

export class PartitionFiles implements LogFiles {
  readonly #folder: string
  readonly #onStartMoved: (offset: number) => void
  #files: AppendFile[] = []

  /** @param folder of the partition */
  constructor(folder: string, onStartMoved: (offset: number) => void) {
    this.#folder = folder
    this.#onStartMoved = onStartMoved
  }

  /** Creates the folder of a new partition, with an empty file. */
  create(): void {
    this.#write(() => {
      mkdirSync(this.#folder, { recursive: true })
      writeFileSync(join(this.#folder, nameOf(0)), '')
    })
    this.#files = [new AppendFile(join(this.#folder, nameOf(0)), 0)]
  }

  /**
   * Reads and checks all files.
   *
   * @param warn called when the last file ended within a batch, which is cut off
   * @throws {FileError} `DATA_DAMAGED`, or `FILE_UNREADABLE`
   */
  load(startOffset: number, warn: (line: string) => void): StoredLog {
    this.#finishReplacing()
    const names = this.#names()
    const segments: StoredSegment[] = []
    for (const [i, name] of names.entries()) {
      const path = join(this.#folder, name)
      const baseOffset = Number.parseInt(name, 10)
      const bytes = readFileSync(path)
      const isLast = i === names.length - 1
      const { length, endOffset, isDamaged } = checkSegment(bytes, baseOffset)
      if (length < bytes.length && (isDamaged || !isLast))
        throw damaged(
          `"${path}" is damaged at byte ${length}, behind offset ${endOffset - 1}, and record batches follow: ${RESTORE}`,
        )
      if (length < bytes.length) {
        warn(`Cut ${bytes.length - length} bytes off "${path}": its last record batch was not finished`)
        truncateSync(path, length)
      }
      const next = isLast ? endOffset : Number.parseInt(names[i + 1]!, 10)
      if (next !== endOffset)
        throw damaged(
          `"${path}" ends with offset ${endOffset - 1} and the next file begins with ${next}, so a file is missing: ${RESTORE}`,
        )
      segments.push({ baseOffset, bytes: bytes.subarray(0, length) })
      this.#files.push(new AppendFile(path, length))
    }
    return { segments, startOffset: Math.max(startOffset, segments[0]!.baseOffset), history: this.#history() }
  }

  #names(): string[] {
    let found: string[]
    try {
      found = readdirSync(this.#folder)
    } catch (error) {
      throw damaged(`The folder "${this.#folder}" of a partition cannot be read: ${RESTORE}`, error)
    }
    const names = found.filter((name) => name.endsWith('.log')).toSorted()
    if (names.length > 0) return names
    throw damaged(`The folder "${this.#folder}" of a partition has no log file: ${RESTORE}`)
  }

  #history(): LogHistory | undefined {
    const path = join(this.#folder, HISTORY)
    if (!existsSync(path)) return undefined
    try {
      return JSON.parse(readFileSync(path, 'utf8')) as LogHistory
    } catch (error) {
      throw unreadable(`"${path}"`, error)
    }
  }

  roll(baseOffset: number): void {
    const last = this.#files.at(-1)
    // The file of a partition without records is there already.
    if (last?.length === 0 && last.path.endsWith(nameOf(baseOffset))) return
    last?.close()
    this.#files.push(new AppendFile(join(this.#folder, nameOf(baseOffset)), 0))
  }

  append(batch: Buffer): void {
    this.#files.at(-1)!.append(batch)
  }

  dropOldest(): void {
    const file = this.#files.shift()
    if (file === undefined) return
    file.close()
    this.#write(() => unlinkSync(file.path))
  }

  replace(segments: readonly StoredSegment[], history: LogHistory): void {
    const folder = this.#folder
    this.#write(() => {
      rmSync(`${folder}.new`, { recursive: true, force: true })
      mkdirSync(`${folder}.new`, { recursive: true })
      for (const { baseOffset, bytes } of segments) writeFileSync(join(`${folder}.new`, nameOf(baseOffset)), bytes)
      writeFileSync(join(`${folder}.new`, HISTORY), JSON.stringify(history))
      this.close()
      renameSync(folder, `${folder}.old`)
      this.#finishReplacing()
    })
    this.#files = segments.map(
      ({ baseOffset, bytes }) => new AppendFile(join(folder, nameOf(baseOffset)), bytes.length),
    )
  }

  /** What `replace` has left to do: the new files count once the old ones have been moved. */
  #finishReplacing(): void {
    const folder = this.#folder
    if (!existsSync(folder) && existsSync(`${folder}.old`)) renameSync(`${folder}.new`, folder)
    for (const left of [`${folder}.new`, `${folder}.old`]) rmSync(left, { recursive: true, force: true })
  }

  startMoved(offset: number): void {
    if (offset > Number.parseInt(this.#files[0]!.path.slice(-NAME_LENGTH), 10)) this.#onStartMoved(offset)
  }

  /** They may be used again. */
  close(): void {
    for (const file of this.#files) file.close()
  }

  #write(work: () => void): void {
    try {
      work()
    } catch (error) {
      throw unwritable(`"${this.#folder}"`, error)
    }
  }
}

const DIGITS = 20
const NAME_LENGTH = DIGITS + '.log'.length

/** As Apache Kafka names them, so that their order is that of their offsets. */
function nameOf(baseOffset: number): string {
  return `${String(baseOffset).padStart(DIGITS, '0')}.log`
}

function damaged(message: string, cause?: unknown): FileError {
  return new FileError('DATA_DAMAGED', message, { cause })
}
