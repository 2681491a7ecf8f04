/**
 * `millrace/broker`: a Kafka broker in this process, for development and tests. It speaks Kafka's protocol over real
 * sockets, keeps everything in memory unless it is given a folder, and is not replicated.
 *
 * ```ts
 * await using broker = await startBroker({ topics: { orders: { partitions: 6 } } })
 * broker.bootstrapServers
 * ```
 *
 * `connection/` has sockets and frames, `apis/` one file per API, `cluster/` topics and nodes,
 * `groups/` and `transactions/` the coordinators, `log/` the records, `security/` who clients are and what they may do, `storage/` the folder that outlives the broker. It imports
 * the record batches of `kafka/` and the messages of `protocol/`, and nothing of the client.
 */
import { ConfigError } from '../errors/index.ts'
import { EmbeddedBroker } from './broker.ts'
import type { BrokerOptions } from './options.ts'
import type { DataFolder } from './storage/data-folder.ts'

export type { ApiName } from '../protocol/api-index.ts'
export type { ErrorName } from '../protocol/error-codes.ts'
export type { EmbeddedBroker } from './broker.ts'
export type { GroupSettings } from './groups/coordinator.ts'
export type { GroupView } from './group-view.ts'
export type { FaultBuilder, HeldRequest } from './connection/faults.ts'
export type { LoggedRequest } from './connection/request-log.ts'
export type { BrokerOptions, TopicOptions } from './options.ts'
export type { Action, Authorize, Operation, ResourceType } from './security/authorizer.ts'
export type { BrokerAcls, BrokerSasl, BrokerTls, Passwords, SecurityOptions, TokenOwner } from './security/options.ts'
export type { TransactionView } from './transaction-view.ts'
export type { BrokerRecord, TopicView } from './topic-view.ts'

/**
 * Starts a broker. It is ready when the promise resolves.
 *
 * @throws {ConfigError} an option is not valid, the port is taken, or another broker uses the `directory`
 * @throws {FileError} the `directory` is damaged (`DATA_DAMAGED`), or cannot be read or written
 */
export async function startBroker(options: BrokerOptions = {}): Promise<EmbeddedBroker> {
  const { nodes = 1, topics = {} } = options
  if (!Number.isInteger(nodes) || nodes < 1)
    throw new ConfigError(`"nodes" must be at least 1: current value is ${nodes}`)
  for (const [name, port = 0] of Object.entries({ port: options.port, 'advertised.port': options.advertised?.port }))
    if (!Number.isInteger(port) || port < 0 || port + nodes - 1 > 65_535)
      throw new ConfigError(`"${name}" must be between 0 and 65535: current value is ${port}`)
  const data = options.directory === undefined ? undefined : await openFolder(options.directory, options.log)
  const broker = new EmbeddedBroker(options, data)
  try {
    await broker.start(topics)
  } catch (error) {
    await broker.close()
    throw error
  }
  return broker
}

/** The code for it is loaded only here. */
async function openFolder(directory: string, log: (line: string) => void = () => {}): Promise<DataFolder> {
  const storage = await import('./storage/data-folder.ts')
  return new storage.DataFolder(directory, log)
}
