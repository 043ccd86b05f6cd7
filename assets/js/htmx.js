// htmx as a global, which its extensions look for.
import htmx from 'htmx.org/dist/htmx.esm.js'

export default htmx
