/**
 * The journal of a data folder: a line per change, each with its checksum.
 *
 * ```
 * 5d1c9e0f {"is":"topic","id":"V0sl…","name":"orders","configs":[]}
 * ```
 *
 * It is only appended to, and checked when it is opened: what a broker that was killed had not finished writing is cut off, and
 * damage before that is refused. When most of it is history it is written again, to a file that then takes its place.
 */
import { readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { FileError } from '../../errors/index.ts'
import { unreadable } from '../../errors/unreadable.ts'
import { unwritable } from '../../errors/unwritable.ts'
import { crc32c } from '../../kafka/protocol/crc32c.ts'
import { AppendFile } from './append-file.ts'
import { type Change, StoredState } from './changes.ts'

/** The journal is written again when it is longer than this, and than `HISTORY` times what is needed. */
const MIN_REWRITE_BYTES = 1024 * 1024
const HISTORY = 4
const NEWLINE = 0x0a

export class Journal {
  readonly state: StoredState
  readonly #file: AppendFile
  /** Length after it was last written again. */
  #neededBytes: number

  private constructor(path: string, length: number, state: StoredState) {
    this.state = state
    this.#file = new AppendFile(path, length)
    this.#neededBytes = length
  }

  /** @param warn called when an unfinished line was cut off */
  static open(path: string, warn: (line: string) => void): Journal {
    let bytes: Buffer
    try {
      bytes = readFileSync(path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unreadable(`the journal "${path}"`, error)
      bytes = Buffer.alloc(0)
    }
    const state = new StoredState()
    const length = replay(path, bytes, state)
    if (length < bytes.length) {
      warn(`Cut ${bytes.length - length} bytes off "${path}": its last line was not finished`)
      truncateSync(path, length)
    }
    const journal = new Journal(path, length, state)
    if (length > MIN_REWRITE_BYTES) journal.rewrite()
    return journal
  }

  /** Writes a change. @throws {FileError} `FILE_UNWRITABLE` */
  record(change: Change): void {
    this.#file.append(lineOf(change))
    this.state.apply(change)
    if (this.#file.length > Math.max(MIN_REWRITE_BYTES, HISTORY * this.#neededBytes)) this.rewrite()
  }

  /** Writes the state instead of its history. */
  rewrite(): void {
    const { path } = this.#file
    const lines = Buffer.concat([...this.state.changes()].map(lineOf))
    this.#file.close()
    try {
      writeFileSync(`${path}.new`, lines)
      renameSync(`${path}.new`, path)
    } catch (error) {
      throw unwritable(`"${path}"`, error)
    }
    this.#file.length = lines.length
    this.#neededBytes = lines.length
  }

  close(): void {
    this.#file.close()
  }
}

function lineOf(change: Change): Buffer {
  const json = Buffer.from(JSON.stringify(change))
  return Buffer.concat([Buffer.from(`${checksum(json)} `), json, Buffer.from('\n')])
}

function checksum(json: Buffer): string {
  return crc32c(json, 0, json.length).toString(16).padStart(8, '0')
}

/** @returns the length of what is whole */
function replay(path: string, bytes: Buffer, state: StoredState): number {
  let start = 0
  for (let number = 1; ; number++) {
    const end = bytes.indexOf(NEWLINE, start)
    if (end === -1) return start
    const change = changeIn(bytes.subarray(start, end))
    // A line that was not finished has no end, so this one was.
    if (change === undefined)
      throw new FileError(
        'DATA_DAMAGED',
        `Line ${number} of "${path}" is damaged: restore the folder from a copy, or delete it and start with nothing`,
      )
    state.apply(change)
    start = end + 1
  }
}

function changeIn(line: Buffer): Change | undefined {
  const json = line.subarray(9)
  if (line.length < 11 || line.toString('latin1', 0, 9) !== `${checksum(json)} `) return undefined
  // The checksum proves that a broker wrote it.
  return JSON.parse(json.toString()) as Change
}
