/** What numbers of Avro and Protobuf become in documents: doubles, with which stages compare and calculate as with those of JSON. */
import { isHeld, numberOf } from '../../records/exact-numbers.ts'
import type { NumberReader } from './ready-schema.ts'

export class DocumentNumbers {
  /** How many numbers were rounded, or cannot be told from one that was. */
  rounded = 0
  /** While it is set, numbers keep all digits. */
  isExact = false

  readonly read: NumberReader = (digits) => {
    if (this.isExact) return numberOf(digits)
    const number = Number(digits)
    if (!isHeld(number) || (number % 1 !== 0 && typeof numberOf(digits) !== 'number')) this.rounded++
    return number
  }
}
