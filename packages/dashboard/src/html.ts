/** Templates: `html` makes an element of Preact. Each template has one root, or several as the children of another one. */
export { html } from 'htm/preact'
