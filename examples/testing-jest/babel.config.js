// For the package cookie alone: see jest.config.js. Who has @babel/preset-env needs no more than that.
module.exports = { plugins: ['@babel/plugin-transform-modules-commonjs'] }
