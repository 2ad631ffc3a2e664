// The default theme with the fonts of the reader's system: nothing is loaded from elsewhere.
import { onContentUpdated } from 'vitepress'
import theme from 'vitepress/theme-without-fonts'
import './style.css'

export default {
  extends: theme,
  setup () {
    // The theme gives each page but the home page the landmark "main".
    onContentUpdated(() => document.querySelector('.VPHome')?.setAttribute('role', 'main'))
  }
}
