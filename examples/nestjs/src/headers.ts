/** Headers of requests and replies: those of Nest's own Kafka transport, so that services of both kinds understand each other. */
import type { ConsumerRecord } from 'millrace'

export const CORRELATION_ID = 'kafka_correlationId'
export const REPLY_TOPIC = 'kafka_replyTopic'
export const ERROR = 'kafka_nest-err'
export const IS_DISPOSED = 'kafka_nest-is-disposed'

/** The last header of a name, as text. */
export function headerOf(
  { headers }: Pick<ConsumerRecord<unknown, unknown>, 'headers'>,
  name: string,
): string | undefined {
  return headers.findLast(([each]) => each === name)?.[1]?.toString()
}

/** JSON, or text where it is none; null stays null. */
export function parsed(bytes: Buffer | null): unknown {
  if (bytes === null) return null
  const text = bytes.toString()
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
