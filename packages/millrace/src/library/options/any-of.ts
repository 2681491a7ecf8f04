/** Options of which one must be given, as they are names of the same thing. */
export type AnyOf<T, Names extends keyof T> = { [Name in Names]: { readonly [N in Name]: T[N] } }[Names]
