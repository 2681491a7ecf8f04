/**
 * The folder of a broker with `directory`.
 *
 * ```
 * FOLDER/broker.lock               the process that uses it
 *        journal                   topics, settings, offsets, transactions: journal.ts
 *        logs/TOPIC_ID/PARTITION/  record batches: partition-files.ts
 * ```
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError, FileError } from '../../errors/index.ts'
import { unwritable } from '../../errors/unwritable.ts'
import type { LogFiles, StoredLog } from '../log/log-files.ts'
import type { Change, StoredState } from './changes.ts'
import { lockFolder } from './folder-lock.ts'
import { Journal } from './journal.ts'
import { PartitionFiles } from './partition-files.ts'
import type { Store } from './store.ts'

const JOURNAL = 'journal'
const LOGS = 'logs'

export class DataFolder implements Store {
  readonly #folder: string
  readonly #warn: (line: string) => void
  readonly #release: () => void
  readonly #journal: Journal
  /** By topic. */
  readonly #files = new Map<string, PartitionFiles[]>()

  /**
   * Opens a folder, which is created if need be.
   *
   * @param warn called with a line for whatever a broker that was killed left unfinished
   * @throws {ConfigError} another broker uses it, or it holds something else
   * @throws {FileError} `DATA_DAMAGED`, or it cannot be read or written
   */
  constructor(folder: string, warn: (line: string) => void) {
    this.#folder = folder
    this.#warn = warn
    try {
      mkdirSync(folder, { recursive: true })
    } catch (error) {
      throw unwritable(`the folder "${folder}"`, error)
    }
    this.#release = lockFolder(folder)
    try {
      checkContent(folder)
      this.#journal = Journal.open(join(folder, JOURNAL), warn)
      this.#deleteUnknown()
    } catch (error) {
      this.#release()
      throw error
    }
  }

  /** What the brokers before have left. It changes with `record`. */
  get state(): StoredState {
    return this.#journal.state
  }

  /** Files of topics whose creation or deletion was not finished. */
  #deleteUnknown(): void {
    const logs = join(this.#folder, LOGS)
    if (!existsSync(logs)) return
    for (const name of readdirSync(logs)) if (!this.state.topics.has(name)) this.deleteLogs(name)
  }

  record(change: Change): void {
    this.#journal.record(change)
  }

  createLog(topicId: string, partition: number): LogFiles {
    // What is left of a creation that was not finished.
    rmSync(this.#folderOf(topicId, partition), { recursive: true, force: true })
    const files = this.#add(topicId, partition)
    files.create()
    return files
  }

  /** Reads and checks the files of a partition. */
  openLog(
    topicId: string,
    partition: number,
    startOffset: number,
  ): { readonly files: LogFiles; readonly log: StoredLog } {
    const files = this.#add(topicId, partition)
    return { files, log: files.load(startOffset, this.#warn) }
  }

  #add(topicId: string, partition: number): PartitionFiles {
    const files = new PartitionFiles(this.#folderOf(topicId, partition), (start) => {
      const known = this.state.topics.get(topicId)?.partitions[partition]
      if (known !== undefined) this.record({ is: 'partition', topic: topicId, index: partition, ...known, start })
    })
    const list = this.#files.get(topicId) ?? []
    list[partition] = files
    this.#files.set(topicId, list)
    return files
  }

  #folderOf(topicId: string, partition: number): string {
    return join(this.#folder, LOGS, topicId, String(partition))
  }

  deleteLogs(topicId: string): void {
    for (const files of this.#files.get(topicId) ?? []) files.close()
    this.#files.delete(topicId)
    try {
      rmSync(join(this.#folder, LOGS, topicId), { recursive: true, force: true })
    } catch (error) {
      throw unwritable(`"${this.#folder}"`, error)
    }
  }

  /** Lets another broker use the folder. */
  close(): void {
    for (const files of this.#files.values()) for (const file of files) file.close()
    this.#files.clear()
    this.#journal.close()
    this.#release()
  }
}

function checkContent(folder: string): void {
  if (existsSync(join(folder, JOURNAL))) return
  if (existsSync(join(folder, LOGS)))
    throw new FileError(
      'DATA_DAMAGED',
      `The folder "${folder}" has logs but no journal, without which they cannot be read: restore it from a copy, or delete the folder and start with nothing`,
    )
  const others = readdirSync(folder).filter((name) => !name.startsWith('broker.lock'))
  if (others.length > 0)
    throw new ConfigError(
      `Cannot keep the data of a broker in "${folder}" as it holds other files (${others.slice(0, 3).join(', ')}): choose a folder that is empty or new`,
    )
}
