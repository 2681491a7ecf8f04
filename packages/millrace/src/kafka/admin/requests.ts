/** What the requests of administrators have in common. */
import { isMillraceError } from '../../errors/index.ts'
import { retry } from '../../resilience/retry.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { METADATA, metadataOf } from '../protocol/metadata.ts'

/** The brokers that the cluster counts as alive now; it also makes their addresses known. */
export async function liveBrokers(cluster: Cluster, signal: AbortSignal | undefined): Promise<number[]> {
  await cluster.refresh([], signal)
  const answer = await cluster.request('any', METADATA, () => metadataOf([]), { signal })
  return answer.brokers.map(({ nodeId }) => nodeId)
}

/** Tries until it works, or fails with what no retry heals, for as long as an operation may take. */
export function retried<T>(cluster: Cluster, attempt: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const { apiTimeoutMs: timeoutMs, backoff } = cluster
  return retry(attempt, { timeoutMs, backoff, signal })
}

/** Whether all of these topics exist, and the principal may see them. */
export async function exist(
  cluster: Cluster,
  topics: readonly string[],
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    await cluster.refresh(topics, signal)
    return true
  } catch (error) {
    if (isMillraceError(error) && (error.code === 'TOPIC_NOT_FOUND' || error.code === 'NOT_AUTHORIZED')) return false
    throw error
  }
}
