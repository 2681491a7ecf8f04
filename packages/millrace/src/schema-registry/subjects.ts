/**
 * Under which subject the schema of a topic's keys or values is registered.
 *
 * | strategy | subject | for |
 * |---|---|---|
 * | `topic` | `orders-value` | one type per topic; the default everywhere |
 * | `record` | `shop.Order` | several types per topic, the same in all topics |
 * | `topic-record` | `orders-shop.Order` | several types per topic |
 */
export const SUBJECT_STRATEGIES = ['topic', 'record', 'topic-record'] as const
export type SubjectStrategy = (typeof SUBJECT_STRATEGIES)[number]

/** Java's classes that mean the same. */
export const SUBJECT_STRATEGY_CLASSES: { readonly [className: string]: SubjectStrategy } = {
  TopicNameStrategy: 'topic',
  RecordNameStrategy: 'record',
  TopicRecordNameStrategy: 'topic-record',
}

export interface SubjectOf {
  readonly topic: string
  readonly part: 'key' | 'value'
  /** Full name of the record or message; needed by `record` and `topic-record`. */
  readonly recordName: string
}

export function subjectName(strategy: SubjectStrategy, { topic, part, recordName }: SubjectOf): string {
  switch (strategy) {
    case 'topic':
      return `${topic}-${part}`
    case 'record':
      return recordName
    case 'topic-record':
      return `${topic}-${recordName}`
  }
}
