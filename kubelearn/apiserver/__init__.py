"""The API server: discovery, CRUD, watch, patch, subresources, authentication, authorisation, admission, streams.

`server.ApiServer` is transport-agnostic (Request in, Response out); `http` is its edge towards the network, `local`
towards the components in the same process.
"""
