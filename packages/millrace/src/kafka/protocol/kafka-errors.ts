/**
 * Kafka's error codes as errors of Millrace. The table of names and retriable flags is the protocol library's, which is
 * generated from Kafka's `Errors.java`.
 */
import { protocolErrors, protocolErrorsCodesById } from '@platformatic/kafka'
import { BrokerError, type BrokerErrorDetails } from '../../errors/index.ts'

const names = protocolErrorsCodesById as { readonly [code: string]: string }
const table = protocolErrors as {
  readonly [name: string]: { readonly canRetry: boolean; readonly message: string } | undefined
}

/** Name of a code, for instance `NOT_LEADER_OR_FOLLOWER` for 6. */
export function kafkaErrorName(code: number): string {
  return names[String(code)] ?? `UNKNOWN_CODE_${code}`
}

/** Whether Kafka's table says that the same request may succeed later. */
export function isRetriableCode(code: number): boolean {
  return table[kafkaErrorName(code)]?.canRetry ?? false
}

/**
 * An error for a code that a broker answered with.
 *
 * @param action what was tried, for instance `Cannot join group "g"`
 */
export function brokerError(code: number, action: string, details: Partial<BrokerErrorDetails> = {}): BrokerError {
  const name = kafkaErrorName(code)
  const text = table[name]?.message ?? 'the broker gave no details'
  return new BrokerError(`${action}: ${name} (${text.replace(/\.$/, '')})`, {
    ...details,
    kafkaCode: code,
    kafkaName: name,
    retriable: details.retriable ?? isRetriableCode(code),
  })
}
