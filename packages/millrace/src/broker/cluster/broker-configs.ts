/** The settings of a node that clients ask for; they cannot be changed. */
import type { Cluster } from './cluster.ts'

export interface BrokerConfig {
  readonly name: string
  readonly value: string
  readonly type: 'boolean' | 'string' | 'int' | 'long' | 'list'
}

export function brokerConfigs(cluster: Cluster, node: number): BrokerConfig[] {
  const { autoCreateTopics, defaultPartitions, protocol } = cluster.options
  const address = cluster.node(node)
  const listener = `${protocol}://${address?.host}:${address?.port}`
  return [
    { name: 'advertised.listeners', value: listener, type: 'list' },
    { name: 'auto.create.topics.enable', value: String(autoCreateTopics), type: 'boolean' },
    { name: 'broker.id', value: String(node), type: 'int' },
    { name: 'default.replication.factor', value: '1', type: 'int' },
    { name: 'delete.topic.enable', value: 'true', type: 'boolean' },
    { name: 'group.initial.rebalance.delay.ms', value: '0', type: 'int' },
    { name: 'listeners', value: listener, type: 'list' },
    { name: 'log.message.timestamp.type', value: 'CreateTime', type: 'string' },
    { name: 'log.retention.ms', value: '604800000', type: 'long' },
    { name: 'message.max.bytes', value: '1048588', type: 'int' },
    { name: 'min.insync.replicas', value: '1', type: 'int' },
    { name: 'node.id', value: String(node), type: 'int' },
    { name: 'num.partitions', value: String(defaultPartitions), type: 'int' },
    { name: 'offsets.topic.replication.factor', value: '1', type: 'int' },
    { name: 'transaction.max.timeout.ms', value: '900000', type: 'int' },
    { name: 'transaction.state.log.replication.factor', value: '1', type: 'int' },
  ]
}
