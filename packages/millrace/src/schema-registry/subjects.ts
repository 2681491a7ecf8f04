/**
 * Under which subject the schema of a topic's keys or values is registered.
 *
 * | strategy | subject | for |
 * |---|---|---|
 * | `topic` | `orders-value` | one type per topic; the default everywhere |
 * | `record` | `shop.Order` | several types per topic, the same in all topics |
 * | `topic-record` | `orders-shop.Order` | several types per topic |
 * | `topic-hash` | `orders-e112304b73f079f7` | schemas that change without having to be compatible: each has a subject of its own, as with Flow's `materialize-kafka` |
 */
import { xxh3Hex } from './xxh3.ts'

export const SUBJECT_STRATEGIES = ['topic', 'record', 'topic-record', 'topic-hash'] as const
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
  /** The schema as it is registered; needed by `topic-hash`, whose subjects end in `HASH` without it, for those who only look. */
  readonly text?: string | undefined
}

export function subjectName(strategy: SubjectStrategy, { topic, part, recordName, text }: SubjectOf): string {
  switch (strategy) {
    case 'topic':
      return `${topic}-${part}`
    case 'record':
      return recordName
    case 'topic-record':
      return `${topic}-${recordName}`
    case 'topic-hash':
      return `${topic}-${text === undefined ? 'HASH' : xxh3Hex(Buffer.from(text))}`
  }
}
