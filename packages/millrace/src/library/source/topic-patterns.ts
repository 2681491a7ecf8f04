/**
 * Topics that a source names by regular expressions: found when it opens, looked for again every so often, and forgotten when they
 * are deleted.
 */
import { TopicAdmin } from '../../kafka/admin/topics.ts'
import type { Cluster } from '../../kafka/cluster/cluster.ts'
import { guarded, inBackground } from '../../resilience/background.ts'

export type Topic = string | RegExp

export class TopicPatterns {
  /** Names, and what was found. Changes; a consumer and its group share it. */
  readonly topics: string[]
  readonly #named: ReadonlySet<string>
  readonly #patterns: readonly RegExp[]
  readonly #warn: (message: string) => void
  #timer: NodeJS.Timeout | undefined

  constructor(topics: readonly Topic[], warn: (message: string) => void) {
    this.topics = topics.filter((topic) => typeof topic === 'string')
    this.#named = new Set(this.topics)
    this.#patterns = topics.filter((topic) => typeof topic !== 'string')
    this.#warn = warn
  }

  /** Topics that match and are not known. Internal topics of Kafka are left out. */
  async find(cluster: Cluster, signal: AbortSignal): Promise<readonly string[]> {
    if (this.#patterns.length === 0) return []
    const all = await new TopicAdmin(cluster).listTopics(signal)
    // One that is sticky or global would begin where it matched last.
    const patterns = this.#patterns.map(({ source, flags }) => new RegExp(source, flags.replaceAll(/[gy]/g, '')))
    return all.filter((topic) => !this.topics.includes(topic) && patterns.some((pattern) => pattern.test(topic)))
  }

  add(topics: readonly string[]): void {
    this.topics.push(...topics)
  }

  /** Forgets a topic that does not exist any more. @returns whether it was found by a pattern, so that reading can go on without it */
  drop(topic: string): boolean {
    if (this.#named.has(topic)) return false
    const index = this.topics.indexOf(topic)
    if (index >= 0) this.topics.splice(index, 1)
    return true
  }

  /** Looks for topics until the signal fires. @param onFound called with those that are new, to `add` them */
  follow(
    cluster: Cluster,
    intervalMs: number,
    signal: AbortSignal,
    onFound: (added: readonly string[]) => Promise<void>,
  ): void {
    if (this.#patterns.length === 0) return
    const failed = (error: unknown): void => {
      if (!signal.aborted)
        this.#warn(`Cannot look for new topics: ${error instanceof Error ? error.message : String(error)}`)
    }
    const look = async (): Promise<void> => {
      const added = await this.find(cluster, signal)
      if (added.length > 0) await onFound(added)
    }
    this.#timer = setInterval(
      guarded(() => inBackground(look(), failed), failed),
      intervalMs,
    )
    this.#timer.unref()
    signal.addEventListener('abort', () => clearInterval(this.#timer))
  }
}
