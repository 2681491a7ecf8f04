/** What the requests of administrators have in common. */
import { retry } from '../../resilience/retry.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { METADATA, type MetadataAnswer } from '../protocol/metadata.ts'

/** The brokers that the cluster counts as alive now; it also makes their addresses known. */
export async function liveBrokers(cluster: Cluster, signal: AbortSignal | undefined): Promise<number[]> {
  await cluster.refresh([], signal)
  const answer = await cluster.request<MetadataAnswer>('any', METADATA, () => [[], false, false], { signal })
  return answer.brokers.map(({ nodeId }) => nodeId)
}

/** Tries until it works, or fails with what no retry heals, for as long as an operation may take. */
export function retried<T>(cluster: Cluster, attempt: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const { apiTimeoutMs: timeoutMs, backoff } = cluster
  return retry(attempt, { timeoutMs, backoff, signal })
}
