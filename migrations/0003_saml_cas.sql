-- What a SAML identity provider and a CAS server keep besides. Expand only: a node of the version before goes on working.

ALTER TABLE relying_party ADD COLUMN saml TEXT;
ALTER TABLE relying_party ADD COLUMN cas TEXT;
