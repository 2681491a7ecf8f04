/**
 * What the query engine says when an operator meets a value that it does not take, in the words of this project: the engine's own
 * texts are about expressions that "resolve to array", and some name the wrong type.
 */

/** Operators whose text names a type that is not the one they take. */
const TAKES: { readonly [operator: string]: string } = { $size: 'a list' }

const TYPES: { readonly [type: string]: string } = {
  array: 'a list',
  'non-zero array': 'a list that is not empty',
  'array of integers': 'whole numbers',
  'array of numbers': 'numbers',
  'array of objects': 'a list of objects',
  'array of strings': 'texts',
  object: 'an object',
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  'non-zero number': 'a number other than 0',
  'non-negative number': 'a number of at least 0',
  'positive number': 'a number greater than 0',
  'non-zero integer': 'a whole number other than 0',
  'non-negative integer': 'a whole number of at least 0',
  'positive integer': 'a whole number greater than 0',
}

/** @param message of an error of the engine, or of anything else, which stays as it is */
export function explainEngineError(message: string): string {
  const wanted = /^(\$\w+)(?: (.+?))? expression must resolve to (.+?)\.?$/.exec(message)
  if (wanted !== null) {
    const [, operator, part, type] = wanted
    return `${operator} takes ${TAKES[operator!] ?? typeText(type!)}${partText(part)}, and got something else`
  }
  const counted = /^(\$\w+) expects array\((\d+)\)$/.exec(message)
  if (counted !== null) return `${counted[1]} takes a list of ${counted[2]} arguments`
  for (const [pattern, text] of OTHERS) if (pattern.test(message)) return message.replace(pattern, text)
  return message
}

const OTHERS: readonly (readonly [RegExp, string])[] = [
  [/^(\$\w+) expects (?:an )?array(?: of expressions| as argument)?$/, '$1 takes a list of arguments'],
  [/^arguments must resolve to array for (\$\w+)\.?$/, '$1 takes lists, and got something else'],
  [/^(\$\w+): field '(.+)' must resolve to array$/, '$1 takes a list in field "$2", and got something else'],
  [/^(\$\w+) arguments must resolve to numeric$/, '$1 takes numbers, and got something else'],
  [/^(\$\w+) expects an array of numeric values$/, '$1 takes numbers, and got something else'],
  [/^(\$\w+) '(.+)' must resolve to number\.?$/, '$1 takes a number as $2, and got something else'],
  [/^(\$\w+) received invalid arguments$/, '$1 takes an object with branches and default'],
  [/^(\$\w+): input range must not be zero$/, '$1 takes numbers that differ, and they are all the same'],
  [/^cannot convert '?(.+?)'? to double\/decimal$/, 'cannot make a number of $1'],
  [/^Use of undefined variable: (.+)$/, 'there is no variable "$1"'],
  [/^dateTrunc unsupported binSize value$/, '$dateTrunc takes a smaller binSize'],
]

function typeText(type: string): string {
  const range = /^(number|integer) in range \[(.+), (.+)\]$/.exec(type)
  if (range !== null) return `a ${range[1] === 'integer' ? 'whole ' : ''}number from ${range[2]} to ${range[3]}`
  const sized = /^array\((\d+)\)$/.exec(type)
  return sized === null ? (TYPES[type] ?? type) : `a list of ${sized[1]}`
}

/** The engine calls arguments `arg2 <index>`, and options `'input'`. */
function partText(part: string | undefined): string {
  if (part === undefined || part === 'arguments') return ''
  const numbered = /^arg(\d+)(?: <(.+)>)?$/.exec(part)
  if (numbered !== null) return ` as argument ${numbered[1]}`
  return ` as ${part.replaceAll("'", '')}`
}
