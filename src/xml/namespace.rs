//! The namespaces that Marelle writes and looks for, each with the one prefix that it writes.

/// A namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Namespace {
    /// SAML protocol messages (saml-core §1.1).
    Samlp,
    /// SAML assertions (saml-core §1.1).
    Saml,
    /// SAML metadata (saml-metadata §1.1).
    Md,
    /// Names, logos and descriptions for people in metadata (sstc-saml-metadata-ui).
    Mdui,
    /// Who registered an entity in a federation (saml-metadata-rpi).
    Mdrpi,
    /// Attributes of entities in metadata (sstc-metadata-attr).
    Mdattr,
    /// Supported algorithms in metadata (sstc-saml-metadata-algsupport).
    Alg,
    /// Where a service wants the answer of a discovery service (sstc-saml-idp-discovery).
    Idpdisc,
    /// Where a service wants to be asked to begin (sstc-request-initiation).
    Init,
    /// Shibboleth's scopes in metadata.
    Shibmd,
    /// XML signatures.
    Ds,
    /// Elements of exclusive canonicalisation.
    Ec,
    /// XML encryption.
    Xenc,
    /// XML encryption 1.1.
    Xenc11,
    /// XML Schema, for `xs:string`.
    Xs,
    /// XML Schema instances, for `xsi:type`.
    Xsi,
    /// SOAP 1.1 envelopes.
    Soap11,
    /// Answers of a CAS server (CAS Protocol 3.0, appendix A).
    Cas,
    /// SAML 1.1 protocol messages, which `/samlValidate` of CAS answers by.
    Samlp1,
    /// SAML 1.1 assertions.
    Saml1,
    /// `xml:lang`.
    Xml,
}

impl Namespace {
    /// Its name.
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Samlp => "urn:oasis:names:tc:SAML:2.0:protocol",
            Self::Saml => "urn:oasis:names:tc:SAML:2.0:assertion",
            Self::Md => "urn:oasis:names:tc:SAML:2.0:metadata",
            Self::Mdui => "urn:oasis:names:tc:SAML:metadata:ui",
            Self::Mdrpi => "urn:oasis:names:tc:SAML:metadata:rpi",
            Self::Mdattr => "urn:oasis:names:tc:SAML:metadata:attribute",
            Self::Alg => "urn:oasis:names:tc:SAML:metadata:algsupport",
            Self::Idpdisc => "urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol",
            Self::Init => "urn:oasis:names:tc:SAML:profiles:SSO:request-init",
            Self::Shibmd => "urn:mace:shibboleth:metadata:1.0",
            Self::Ds => "http://www.w3.org/2000/09/xmldsig#",
            Self::Ec => "http://www.w3.org/2001/10/xml-exc-c14n#",
            Self::Xenc => "http://www.w3.org/2001/04/xmlenc#",
            Self::Xenc11 => "http://www.w3.org/2009/xmlenc11#",
            Self::Xs => "http://www.w3.org/2001/XMLSchema",
            Self::Xsi => "http://www.w3.org/2001/XMLSchema-instance",
            Self::Soap11 => "http://schemas.xmlsoap.org/soap/envelope/",
            Self::Cas => "http://www.yale.edu/tp/cas",
            Self::Samlp1 => "urn:oasis:names:tc:SAML:1.0:protocol",
            Self::Saml1 => "urn:oasis:names:tc:SAML:1.0:assertion",
            Self::Xml => "http://www.w3.org/XML/1998/namespace",
        }
    }

    /// The prefix it is written with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Samlp => "samlp",
            Self::Saml => "saml",
            Self::Md => "md",
            Self::Mdui => "mdui",
            Self::Mdrpi => "mdrpi",
            Self::Mdattr => "mdattr",
            Self::Alg => "alg",
            Self::Idpdisc => "idpdisc",
            Self::Init => "init",
            Self::Shibmd => "shibmd",
            Self::Ds => "ds",
            Self::Ec => "ec",
            Self::Xenc => "xenc",
            Self::Xenc11 => "xenc11",
            Self::Xs => "xs",
            Self::Xsi => "xsi",
            Self::Soap11 => "soap11",
            Self::Cas => "cas",
            Self::Samlp1 => "samlp",
            Self::Saml1 => "saml",
            Self::Xml => "xml",
        }
    }
}
