/**
 * Who reads what is written: the same topic at brokers of the same cluster.
 */
import type { Endpoints } from '../contracts/definitions.ts'

/** Whether two components work on the same cluster, as far as their brokers show. */
export function sharesCluster({ brokers }: Endpoints, other: Endpoints): boolean {
  return brokers.some((broker) => other.brokers.includes(broker))
}

/** The topic that `writer` writes and `reader` reads; undefined when there is none. */
export function sharedTopic(writer: Endpoints, reader: Endpoints): string | undefined {
  return sharesCluster(writer, reader) ? writer.topics.find((topic) => reader.topics.includes(topic)) : undefined
}

/** What is wrong with dead letters that the pipeline itself reads; undefined when nothing is. */
export function letterLoop(
  source: Endpoints,
  letters: Endpoints,
): { readonly message: string; readonly suggestion: string } | undefined {
  const topic = sharedTopic(letters, source)
  return topic === undefined
    ? undefined
    : {
        message: `Cannot write dead letters to topic "${topic}" as the pipeline reads it: each letter would fail again`,
        suggestion: 'use another topic',
      }
}
