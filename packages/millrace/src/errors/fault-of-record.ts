/** Which errors lie in a record itself. May import its neighbours only. */
import type { ErrorCode } from './codes.ts'
import { BrokerError, type MillraceError } from './index.ts'

const CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'DECODE_FAILED',
  'STAGE_FAILED',
  'ENCODE_FAILED',
  'RECORD_TOO_LARGE',
])
/** Kafka's names for refusals that no other attempt will change. */
const REFUSED_BY_KAFKA: ReadonlySet<string> = new Set([
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
])

/** Whether the record itself is what fails, so that another attempt would fail too, and who refuses it is alive. */
export function isFaultOfRecord({ code, cause }: MillraceError): boolean {
  return (
    CODES.has(code) ||
    (code !== 'REFUSED_WITH_BATCH' && cause instanceof BrokerError && REFUSED_BY_KAFKA.has(cause.kafkaName))
  )
}
