/**
 * A file that only grows. What is appended has been given to the operating system when the call returns: it survives the
 * process, however that ends, but not a machine that loses power, as there is no `fsync`. Apache Kafka does the same.
 */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { unwritable } from '../../errors/unwritable.ts'

/** Files that are kept open; the one that was used longest ago is closed for another one. */
const MAX_OPEN = 128
const open = new Set<AppendFile>()

export class AppendFile {
  readonly path: string
  length: number
  #descriptor: number | undefined

  /** @param length what it holds so far; it is created with the first append */
  constructor(path: string, length: number) {
    this.path = path
    this.length = length
  }

  /**
   * Appends all bytes, or nothing.
   *
   * @throws {FileError} `FILE_UNWRITABLE`, for example because the disk is full
   */
  append(bytes: Buffer): void {
    try {
      const descriptor = this.#open()
      try {
        for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written)
      } catch (error) {
        ftruncateSync(descriptor, this.length)
        throw error
      }
    } catch (error) {
      throw unwritable(`"${this.path}"`, error)
    }
    this.length += bytes.length
  }

  #open(): number {
    open.delete(this)
    if (this.#descriptor === undefined && open.size >= MAX_OPEN) open.values().next().value!.close()
    this.#descriptor ??= openSync(this.path, 'a')
    open.add(this)
    return this.#descriptor
  }

  /** The file may be appended to again. */
  close(): void {
    open.delete(this)
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
  }
}
