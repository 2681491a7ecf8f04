/** The answer to `apply`: creates the topics that do not exist. Nothing is ever changed or deleted, so it may be repeated. */
import { BrokerError, ProtocolViolationError } from '../errors/index.ts'
import { TopicAdmin } from '../kafka/admin/topics.ts'
import { parseEndpointConfig, parseResource } from './config.ts'
import { openCluster } from './kafka.ts'
import type { ApplyRequest, Response } from './messages.ts'
import { inContext, withContext } from './with-context.ts'

/** @throws {ConfigError} {ConnectionError} {BrokerError} when a topic cannot be created */
export async function apply({ materialization }: ApplyRequest): Promise<Response> {
  if (materialization === undefined)
    throw new ProtocolViolationError('Cannot apply a request without a materialization')
  const config = parseEndpointConfig(materialization.config)
  const topics = new Set((materialization.bindings ?? []).map(({ resourceConfig }) => parseResource(resourceConfig)))
  const cluster = await openCluster(config)
  try {
    const admin = new TopicAdmin(cluster)
    const existing = new Set(await inContext('fetching metadata', () => admin.listTopics()))
    const created: string[] = []
    for (const name of topics) {
      if (existing.has(name)) continue
      const { topicPartitions: partitions, topicReplicationFactor: replicationFactor } = config
      if (await createTopic(admin, { name, partitions, replicationFactor })) created.push(name)
    }
    const actionDescription = created.map((topic) => `create topic ${topic}`).join('\n')
    return { applied: actionDescription === '' ? {} : { actionDescription } }
  } finally {
    await cluster.close()
  }
}

/** @returns false when another session has created it meanwhile */
async function createTopic(admin: TopicAdmin, topic: Parameters<TopicAdmin['createTopic']>[0]): Promise<boolean> {
  try {
    return await admin.createTopic(topic)
  } catch (error) {
    throw withContext(
      error instanceof BrokerError ? `failed to create topic (code ${error.kafkaName})` : 'creating topics',
      error,
    )
  }
}
