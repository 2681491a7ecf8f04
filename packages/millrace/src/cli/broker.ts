/** `millrace broker`: the embedded broker as a process of its own, until a signal comes. */
import { type BrokerOptions, startBroker } from '../broker/index.ts'
import { ConfigError } from '../errors/index.ts'
import { inBackground } from '../resilience/background.ts'
import { errorLines, type Outcome } from './output.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export interface BrokerCommandOptions {
  readonly port: number
  readonly host: string
  readonly nodes: number
  readonly topics?: readonly string[]
  readonly autoCreate: boolean
  readonly data?: string
  /** Bytes. */
  readonly retentionBytes?: number
  readonly json?: true
}

/** Returns as soon as the broker serves; its listeners keep the process alive until a signal closes them. */
export async function broker({
  port,
  host,
  nodes,
  topics = [],
  autoCreate,
  data,
  retentionBytes,
  json,
}: BrokerCommandOptions): Promise<Outcome> {
  const started = await startBroker({
    port,
    host,
    nodes,
    topics: topicsOf(topics),
    autoCreateTopics: autoCreate,
    ...(data === undefined ? {} : { directory: data }),
    ...(retentionBytes === undefined ? {} : { retentionBytes }),
    log: (line) => void process.stderr.write(`${line}\n`),
  })
  for (const signal of SIGNALS) {
    process.once(signal, () => {
      inBackground(started.close(), (error) => {
        process.exitCode = 1
        for (const line of errorLines(error, undefined)) process.stderr.write(`${line}\n`)
      })
    })
  }
  const { bootstrapServers } = started
  const summary = `Broker is ready at ${bootstrapServers}`
  const kept = data === undefined ? 'in memory until it is stopped with Ctrl-C' : `in "${data}"; stop it with Ctrl-C`
  if (json === undefined) process.stdout.write(`${summary}; records are kept ${kept}\n`)
  return { exitCode: 0, summary, result: { bootstrapServers, topics: started.topics() } }
}

/** @param list of `NAME` or `NAME:PARTITIONS`, each also several separated by commas */
function topicsOf(list: readonly string[]): NonNullable<BrokerOptions['topics']> {
  const entries = list
    .flatMap((text) => text.split(','))
    .map((text) => {
      const [, name, partitions] = /^([^:]+)(?::(\d+))?$/.exec(text.trim()) ?? []
      if (name === undefined)
        throw new ConfigError(
          `Cannot read --topics "${text}" as it must be a name, or a name and a number of partitions such as orders:6`,
        )
      return [name, partitions === undefined ? {} : { partitions: Number(partitions) }] as const
    })
  return Object.fromEntries(entries)
}
