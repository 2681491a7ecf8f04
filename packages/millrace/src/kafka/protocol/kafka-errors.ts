/** Kafka's error codes as errors of Millrace. */
import { BrokerError, type BrokerErrorDetails } from '../../errors/index.ts'
import { ERROR, type ErrorName } from '../../protocol/error-codes.ts'
import { ERROR_TEXTS, RETRIABLE } from './error-texts.ts'

const names = new Map<number, ErrorName>(
  Object.entries(ERROR).map(([name, code]) => [code, name as ErrorName]), // `entries` forgets which names there are
)

/** Name of a code, for instance `NOT_LEADER_OR_FOLLOWER` for 6. */
export function kafkaErrorName(code: number): string {
  return names.get(code) ?? `UNKNOWN_CODE_${code}`
}

/** Whether Kafka's table says that the same request may succeed later. */
export function isRetriableCode(code: number): boolean {
  return RETRIABLE.has(kafkaErrorName(code))
}

/**
 * An error for a code that a broker answered with.
 *
 * @param action what was tried, for instance `Cannot join group "g"`
 */
export function brokerError(code: number, action: string, details: Partial<BrokerErrorDetails> = {}): BrokerError {
  const name = kafkaErrorName(code)
  const text = ERROR_TEXTS[name as ErrorName] ?? 'the broker gave no details'
  return new BrokerError(`${action}: ${name} (${text})`, {
    ...details,
    kafkaCode: code,
    kafkaName: name,
    retriable: details.retriable ?? isRetriableCode(code),
  })
}
