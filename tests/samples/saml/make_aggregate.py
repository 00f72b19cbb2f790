"""Makes renater-aggregate.xml: the shape of a federation's aggregate, every entity invented, signed by xmlsec1.

Run in this folder; needs xmlsec1. The exclusive canonicalisation WithComments is what that federation uses.
"""
import base64, pathlib, re, subprocess

here = pathlib.Path(__file__).parent


def certificate(name):
    text = (here / f"{name}.crt").read_text()
    return "\n" + "".join(line + "\n" for line in text.splitlines() if "-----" not in line)


def keys(*named):
    out = ""
    for use, name in named:
        attribute = f' use="{use}"' if use else ""
        out += f"""<md:KeyDescriptor{attribute}><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
          <ds:KeyName>{name}</ds:KeyName>
          <ds:X509Data><ds:X509Certificate>{certificate(name)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>
        </md:KeyDescriptor>"""
    return out


POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"


def service(entity_id, body, attributes="", extensions=""):
    return f"""
  <md:EntityDescriptor entityID="{entity_id}">
    <md:Extensions>
      <mdrpi:RegistrationInfo registrationAuthority="https://federation.renater.example/" registrationInstant="2026-01-05T08:00:00Z">
        <mdrpi:RegistrationPolicy xml:lang="en">https://federation.renater.example/mrps</mdrpi:RegistrationPolicy>
      </mdrpi:RegistrationInfo>
      {extensions}
    </md:Extensions>
    <md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:1.1:protocol urn:oasis:names:tc:SAML:2.0:protocol"{attributes}>
      {body}
    </md:SPSSODescriptor>
    <md:Organization><md:OrganizationName xml:lang="fr">Essai</md:OrganizationName>
      <md:OrganizationDisplayName xml:lang="fr">Essai</md:OrganizationDisplayName>
      <md:OrganizationURL xml:lang="fr">https://essai.example/</md:OrganizationURL></md:Organization>
    <md:ContactPerson contactType="technical"><md:EmailAddress>mailto:technique@essai.example</md:EmailAddress></md:ContactPerson>
  </md:EntityDescriptor>"""


def acs(location, index="1", binding=POST, more=""):
    return f'<md:AssertionConsumerService Binding="{binding}" Location="{location}" index="{index}"{more}/>'


UI = """<md:Extensions><mdui:UIInfo>
        <mdui:DisplayName xml:lang="en">Digital library</mdui:DisplayName>
        <mdui:DisplayName xml:lang="fr">Bibliothèque
           numérique</mdui:DisplayName>
        <mdui:PrivacyStatementURL xml:lang="fr">https://biblio.example/donnees</mdui:PrivacyStatementURL>
        <mdui:Logo width="16" height="16">data:image/png;base64,AAAA</mdui:Logo>
      </mdui:UIInfo></md:Extensions>"""
CATEGORIES = """<mdattr:EntityAttributes>
        <saml:Attribute Name="http://macedir.org/entity-category" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri">
          <saml:AttributeValue>http://refeds.org/category/research-and-scholarship</saml:AttributeValue>
          <saml:AttributeValue>https://federation.renater.example/category/education</saml:AttributeValue>
        </saml:Attribute>
        <saml:Attribute Name="http://macedir.org/entity-category-support"><saml:AttributeValue>urn:no</saml:AttributeValue></saml:Attribute>
      </mdattr:EntityAttributes>"""

library = service(
    "https://biblio.example/shibboleth",
    UI
    + keys(("signing", "rsa"), ("encryption", "foreign"), (None, "ec"))
    + f"""<md:SingleLogoutService Binding="{REDIRECT}" Location="https://biblio.example/slo" ResponseLocation="https://biblio.example/slo/done"/>
      <md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="https://biblio.example:8443/slo"/>
      <md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat>
      <md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:transient</md:NameIDFormat>"""
    + acs("https://biblio.example/art", "3", "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact")
    + acs("https://biblio.example/acs")
    + acs("https://biblio.example/acs2", "2", POST, ' isDefault="true"')
    + """<md:AttributeConsumingService index="1"><md:ServiceName xml:lang="fr">Biblio</md:ServiceName>
        <md:RequestedAttribute Name="urn:oid:1.3.6.1.4.1.5923.1.1.1.9" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri" isRequired="true"/>
      </md:AttributeConsumingService>""",
    ' AuthnRequestsSigned="true" WantAssertionsSigned="1"',
    CATEGORIES,
)
bare = service("https://nu.example/sp", acs("https://nu.example/acs"))
weak = service("https://faible.example/sp", keys(("signing", "weak")) + acs("https://faible.example/acs"))
script = service("https://script.example/sp", acs("javascript:alert(1)"))
plain = service("https://clair.example/sp", acs("http://clair.example/acs"))
twice = service("https://deux.example/sp", acs("https://deux.example/acs"))
again = service("https://deux.example/sp", acs("https://ailleurs.example/acs"))
artifact = service(
    "https://artefact.example/sp",
    acs("https://artefact.example/art", "1", "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"),
)
over = service("https://fini.example/sp", acs("https://fini.example/acs"), ' validUntil="2026-09-01T00:00:00Z"')
provider = f"""
  <md:EntityDescriptor entityID="https://id.example.fr/saml/metadata">
    <md:Extensions><shibmd:Scope regexp="false">ac-essai.example</shibmd:Scope></md:Extensions>
    <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
      {keys(("signing", "rsa"))}
      <md:SingleSignOnService Binding="{REDIRECT}" Location="https://id.example.fr/saml/sso"/>
    </md:IDPSSODescriptor>
  </md:EntityDescriptor>"""

text = f"""<?xml version="1.0" encoding="UTF-8"?>
<!-- Entities of an invented federation -->
<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui" xmlns:mdrpi="urn:oasis:names:tc:SAML:metadata:rpi" xmlns:mdattr="urn:oasis:names:tc:SAML:metadata:attribute" xmlns:shibmd="urn:mace:shibboleth:metadata:1.0" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:unused="urn:example:unused" ID="_renater1" Name="https://federation.renater.example/" cacheDuration="PT1H" validUntil="2026-10-10T08:00:00Z">
  <ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>
    <ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
    <ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>
    <ds:Reference URI="#_renater1"><ds:Transforms>
      <ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>
      <ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#WithComments"><ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="unused"/></ds:Transform></ds:Transforms>
      <ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference>
  </ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:X509Data/></ds:KeyInfo></ds:Signature>
  <md:Extensions><mdrpi:PublicationInfo publisher="https://federation.renater.example/" creationInstant="2026-10-01T08:00:00Z"/></md:Extensions>
  <!-- the <b>first</b> -->{library}{bare}
  <md:EntitiesDescriptor Name="inside" validUntil="2026-10-05T08:00:00Z">{weak}{script}{plain}{twice}{over}
    {service("https://dedans.example/sp", acs("https://dedans.example/acs"))}
  </md:EntitiesDescriptor>{again}{artifact}{provider}
</md:EntitiesDescriptor>
"""
unsigned = here / "unsigned.xml"
unsigned.write_text(text)
target = here / "renater-aggregate.xml"
subprocess.run(
    ["xmlsec1", "--sign", "--privkey-pem", f"{here/'rsa.key'},{here/'rsa.crt'}", "--id-attr:ID",
     "urn:oasis:names:tc:SAML:2.0:metadata:EntitiesDescriptor", "--output", str(target), str(unsigned)], check=True)
unsigned.unlink()
subprocess.run(
    ["xmlsec1", "--verify", "--pubkey-cert-pem", str(here / "rsa.crt"), "--id-attr:ID",
     "urn:oasis:names:tc:SAML:2.0:metadata:EntitiesDescriptor", str(target)], check=True)
