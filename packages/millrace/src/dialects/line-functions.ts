/**
 * Functions of stage graphs among the stages of other files. They are loaded only for a file that may name one, so that lint
 * of all others stays as fast as it is without them.
 */
import { isObject } from '../options/values.ts'

export type LineFunctions = typeof import('../functions/in-line.ts')

/** @param value content of the file */
export async function loadFunctions(value: unknown): Promise<LineFunctions | undefined> {
  return mayNameFunctions(value) ? import('../functions/in-line.ts') : undefined
}

/** Whether there is a list with an object of one key that is no stage: names of stages begin with a dollar sign. */
function mayNameFunctions(value: unknown): boolean {
  if (Array.isArray(value)) return value.some((item) => isCall(item) || mayNameFunctions(item))
  return isObject(value) && Object.values(value).some(mayNameFunctions)
}

function isCall(item: unknown): boolean {
  if (!isObject(item)) return false
  const [name, ...more] = Object.keys(item)
  return name !== undefined && more.length === 0 && !name.startsWith('$')
}
