import type { Endpoints } from '../../contracts/definitions.ts'

/**
 * Endpoints of a component that reads or writes topics.
 * @param options as they were read: with problems, lists may be missing and names empty
 */
export function kafkaEndpoints({
  topic,
  bootstrapServers = [],
}: {
  readonly topic?: string | readonly string[] | undefined
  readonly bootstrapServers?: readonly string[] | undefined
}): Endpoints {
  return {
    topics: [topic ?? []].flat().filter((name) => name !== ''),
    brokers: bootstrapServers,
    joinsTransactions: true,
  }
}
