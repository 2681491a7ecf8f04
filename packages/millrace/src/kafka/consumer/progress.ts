/** What a consumer tells of its progress. Programs see this, so it names nothing of the client library. */
export interface ConsumerProgress {
  readonly records: number
  readonly bytes: number
  /** Records between what was handed out and the end; undefined until every partition has answered. */
  readonly lag: number | undefined
  readonly commits: number
  readonly rebalances: number
}
