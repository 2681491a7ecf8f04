import { expect, test } from 'vitest'
import { isWorthAnotherTransaction } from '../../../src/engine/failures/another-transaction.ts'
import { BatchError, DeliveryError, type MillraceError, TransactionError } from '../../../src/errors/index.ts'

const tooLarge = new DeliveryError('too large', { code: 'RECORD_TOO_LARGE' })
const beside = new DeliveryError('beside', { code: 'REFUSED_WITH_BATCH', cause: tooLarge })
const letter = new DeliveryError('letter', {
  code: 'DEAD_LETTER_FAILED',
  cause: new BatchError('', new Map([[0, beside]])),
})

test.each<{ name: string; error: MillraceError; leavesOut: boolean; worth: boolean }>([
  { name: 'a record that is too large', error: tooLarge, leavesOut: true, worth: false },
  {
    name: 'what was refused beside it, where it is left out of the next one',
    error: beside,
    leavesOut: true,
    worth: true,
  },
  { name: 'what was refused beside it, where it is not', error: beside, leavesOut: false, worth: false },
  { name: 'a dead letter that was refused beside it', error: letter, leavesOut: true, worth: true },
  { name: 'a fenced producer', error: new TransactionError('', { fatal: true }), leavesOut: true, worth: false },
])('$name: $worth', ({ error, leavesOut, worth }) => {
  expect(isWorthAnotherTransaction(error, false, leavesOut)).toBe(worth)
})
