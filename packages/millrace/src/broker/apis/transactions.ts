/** What the APIs of transactions share. */
import { ERROR } from '../../protocol/error-codes.ts'

/** Clients that do not know PRODUCER_FENCED get INVALID_PRODUCER_EPOCH. */
export function fencedError(errorCode: number, version: number, knowsFenced: number): number {
  return errorCode === ERROR.PRODUCER_FENCED && version < knowsFenced ? ERROR.INVALID_PRODUCER_EPOCH : errorCode
}
