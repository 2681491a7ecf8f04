import { randomUuidBytes } from '../random.ts'
import type { LogFiles, StoredLog } from '../log/log-files.ts'
import { PartitionLog } from '../log/partition-log.ts'
import type { Configs } from './config-definitions.ts'
import { isInternalTopic } from './internal-topics.ts'
import { logSettings } from './topic-configs.ts'

/** What a leader that is not there is called. */
export const NO_LEADER = -1

export class Partition {
  readonly topic: Topic
  readonly index: number
  readonly log: PartitionLog
  /** Nodes that could lead it; the first one is preferred. */
  replicas: readonly number[]
  leader: number
  leaderEpoch = 0

  /** @param files where its records are also kept */
  constructor(topic: Topic, index: number, replicas: readonly number[], files?: LogFiles) {
    this.topic = topic
    this.index = index
    this.replicas = replicas
    this.leader = replicas[0]!
    this.log = new PartitionLog(topic.settings, files)
    this.log.epochs.wrote(this.leaderEpoch, 0)
  }

  /** Takes over what was kept. */
  restore(leader: number, leaderEpoch: number, log: StoredLog): void {
    this.leader = leader
    this.leaderEpoch = leaderEpoch
    this.log.restore(log)
    this.log.epochs.wrote(leaderEpoch, this.log.endOffset)
  }

  /** Gives the partition another leader, in a new epoch. */
  lead(node: number): void {
    if (node === this.leader) return
    this.leader = node
    this.leaderEpoch++
    this.log.epochs.wrote(this.leaderEpoch, this.log.endOffset)
    this.log.wakeAll()
  }
}

export class Topic {
  readonly name: string
  readonly id: string
  /** Settings that differ from the defaults. */
  #configs: Configs
  /** Of the brokers, where they differ from Kafka's. */
  #defaults: Configs
  settings
  readonly partitions: Partition[] = []
  /** Whether it has been deleted; requests that still hold it look at this. */
  deleted = false

  constructor(name: string, configs: Configs, defaults: Configs, id: string = randomUuid()) {
    this.name = name
    this.id = id
    this.#configs = configs
    this.#defaults = defaults
    this.settings = logSettings(configs, defaults)
  }

  get configs(): Configs {
    return this.#configs
  }
  set configs(configs: Configs) {
    this.#configs = configs
    this.#apply()
  }
  set defaults(defaults: Configs) {
    this.#defaults = defaults
    this.#apply()
  }

  #apply(): void {
    this.settings = logSettings(this.#configs, this.#defaults)
    for (const { log } of this.partitions) log.settings = this.settings
  }

  get isInternal(): boolean {
    return isInternalTopic(this.name)
  }

  get bytes(): number {
    return this.partitions.reduce((sum, { log }) => sum + log.bytes, 0)
  }
}

/** A random UUID (version 4) as Kafka writes it; Kafka avoids those that begin with a dash, as command lines take them for options. */
export function randomUuid(): string {
  for (;;) {
    const text = randomUuidBytes().toString('base64url')
    if (!text.startsWith('-')) return text
  }
}

const MAX_NAME_LENGTH = 249

/** What is wrong with the name of a topic; `undefined` when it may be used. */
export function nameProblem(name: string): string | undefined {
  if (name === '') return 'Topic name is invalid: the empty string is not allowed'
  if (name === '.' || name === '..') return `Topic name is invalid: '${name}' is not allowed`
  if (name.length > MAX_NAME_LENGTH)
    return `Topic name is invalid: the length of '${name}' is longer than the max allowed length ${MAX_NAME_LENGTH}`
  if (!/^[\w.-]+$/.test(name))
    return `Topic name is invalid: '${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
  return undefined
}
