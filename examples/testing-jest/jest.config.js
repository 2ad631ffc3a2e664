// Fastify's inject requires the package cookie, which is an ES module. Node can do that, jest before Node 24.9 cannot.
module.exports = { transformIgnorePatterns: ['/node_modules/(?!cookie/)'] }
