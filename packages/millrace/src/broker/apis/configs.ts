/** What the APIs about settings share: the kinds of resources, where a value comes from, and how settings are changed. */
import { ERROR } from '../../protocol/error-codes.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { configProblem, type Configs } from '../cluster/topic-configs.ts'
import type { Topic } from '../cluster/topic.ts'
import type { Refusal } from '../log/check-batch.ts'

/** Kinds of resources. */
export const TOPIC = 2
export const BROKER = 4

/** Where a value comes from. */
export const TOPIC_SOURCE = 1
export const STATIC_SOURCE = 4
export const DEFAULT_SOURCE = 5

/** @returns the topic that a resource names, or why it cannot be used */
export function configuredTopic(cluster: Cluster, type: number, name: string): Topic | Refusal {
  if (type !== TOPIC)
    return {
      errorCode: ERROR.INVALID_REQUEST,
      message: `The settings of resources of type ${type} cannot be changed here`,
    }
  return (
    cluster.topic(name) ?? {
      errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION,
      message: `The topic '${name}' does not exist.`,
    }
  )
}

/** Why settings may not be used; `undefined` when they may. */
export function configsProblem(configs: Configs): Refusal | undefined {
  for (const [name, value] of configs) {
    const message = configProblem(name, value)
    if (message !== undefined) return { errorCode: ERROR.INVALID_CONFIG, message }
  }
  return undefined
}
