// What makes the portal smooth. Nothing here makes it possible: every action is a link or a form that
// works without script, so each file below may fail without a page failing with it.
import './htmx.js'
import 'htmx.org/dist/ext/hx-ptag.js'
import './answers.js'
import './dialogs.js'
import './fields.js'
import './items.js'
import './keys.js'
import './live.js'
import './menus.js'
import './paper.js'
import './previews.js'

document.documentElement.classList.add('cf-js')
