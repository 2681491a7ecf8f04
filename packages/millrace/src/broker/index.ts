/**
 * `millrace/broker`: a Kafka broker in this process, for development and tests. It speaks Kafka's protocol over real
 * sockets, keeps everything in memory, and promises no durability.
 *
 * ```ts
 * await using broker = await startBroker({ topics: { orders: { partitions: 6 } } })
 * broker.bootstrapServers
 * ```
 *
 * `connection/` has sockets and frames, `apis/` one file per API, `cluster/` topics and nodes,
 * `groups/` and `transactions/` the coordinators, `log/` the records. It imports
 * the record batches of `kafka/` and the messages of `protocol/`, and nothing of the client.
 */
import { ConfigError } from '../errors/index.ts'
import { EmbeddedBroker } from './broker.ts'
import type { BrokerOptions } from './options.ts'

export type { ApiName } from '../protocol/api-index.ts'
export type { ErrorName } from '../protocol/error-codes.ts'
export type { EmbeddedBroker } from './broker.ts'
export type { GroupSettings } from './groups/coordinator.ts'
export type { GroupView } from './group-view.ts'
export type { FaultBuilder, HeldRequest } from './connection/faults.ts'
export type { LoggedRequest } from './connection/request-log.ts'
export type { BrokerOptions, TopicOptions } from './options.ts'
export type { TransactionView } from './transaction-view.ts'
export type { BrokerRecord, TopicView } from './topic-view.ts'

/**
 * Starts a broker. It is ready when the promise resolves.
 *
 * @throws {ConfigError} an option is not valid, or the port is taken
 */
export async function startBroker(options: BrokerOptions = {}): Promise<EmbeddedBroker> {
  const { nodes = 1, port = 0, topics = {} } = options
  if (!Number.isInteger(nodes) || nodes < 1)
    throw new ConfigError(`"nodes" must be at least 1: current value is ${nodes}`)
  if (!Number.isInteger(port) || port < 0 || port + nodes - 1 > 65_535)
    throw new ConfigError(`"port" must be between 0 and 65535: current value is ${port}`)
  const broker = new EmbeddedBroker(options)
  try {
    await broker.start(topics)
  } catch (error) {
    await broker.close()
    throw error
  }
  return broker
}
