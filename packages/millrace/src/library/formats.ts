/** Serializers and deserializers in programs, which read and write bytes. */
import { codecNameOfClass } from '../contracts/codec-names.ts'
import { problem, type OptionProblem } from '../options/declaration.ts'

/** Why a format of Kafka's own serializers, other than text and bytes, cannot be asked for; undefined when it is not. */
export function formatProblem(option: string, className: string, instead: string): OptionProblem | undefined {
  const codec = codecNameOfClass(className)
  if (codec === 'json' || codec === 'bytes' || codec === 'string') return undefined
  const name = className.slice(className.lastIndexOf('.') + 1)
  return problem(option, `Cannot use ${name} in a program, where keys and values are bytes`, instead)
}
